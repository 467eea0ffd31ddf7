"""The importance weighted bound with K = 5000 samples on 1 000 MNIST images: `iwae_bound` against the loop over K.

Claims: at least 1.8× as fast as the loop that takes one sample of all images at a time by the model's forward pass
(encode, draw, decode), the same numbers from the same noise, and at most 1 GiB of memory beyond what is there already.
The loop with the encoding moved out of it is shown as well. The model is a 784-400-20 VAE with random
weights: neither time nor memory depend on their values. Run: `python benchmarks/iwae.py [--rounds 3]`.
"""

import argparse
import math

import torch
from common import keep, median_seconds, peak_extra_mebibytes, table
from torch.distributions import Bernoulli, Independent, Normal

from vaeedu import data
from vaeedu.vae import VAE, mlp_vae

NAMES = {
    "bound": "`iwae_bound`",
    "loop": "loop over K",
    "encoded": "loop over K, images encoded once",
    "unchecked": "the same, torch's argument checks off",
}


@torch.no_grad()
def loop(
    model: VAE, x: torch.Tensor, num_samples: int, *, encode_once: bool, check: bool = True
) -> torch.Tensor:
    """One sample at a time, the logarithm of the sum kept as it grows."""
    generator = torch.Generator().manual_seed(0)
    prior = Normal(torch.zeros(20), torch.ones(20), validate_args=check)
    total = torch.full((len(x),), -math.inf)
    encoded = None
    for _ in range(num_samples):
        if encoded is None or not encode_once:
            encoded = model.posterior(x).base_dist
        q = Independent(Normal(encoded.loc, encoded.scale, validate_args=check), 1, validate_args=check)
        z = q.mean + q.stddev * torch.randn(q.mean.shape, generator=generator)
        logits = model.decoder[1].layer(model.decoder[0](z))  # the head's layer, without its checks
        p = Independent(Bernoulli(logits=logits, validate_args=check), 3, validate_args=check)
        log_w = p.log_prob(x) + prior.log_prob(z).sum(dim=-1) - q.log_prob(z)
        total = torch.logaddexp(total, log_w)
    return total - math.log(num_samples)


def methods(model: VAE, x: torch.Tensor, num_samples: int) -> dict:
    """Maps each way's name to a function that computes the bounds."""

    @torch.no_grad()
    def bound():
        return model.iwae_bound(x, num_samples=num_samples, generator=torch.Generator().manual_seed(0))

    return {
        "bound": bound,
        "loop": lambda: loop(model, x, num_samples, encode_once=False),
        "encoded": lambda: loop(model, x, num_samples, encode_once=True),
        "unchecked": lambda: loop(model, x, num_samples, encode_once=True, check=False),
    }


def main() -> None:
    """Runs the comparison and keeps its table."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="timed repetitions")
    parser.add_argument("--num-samples", type=int, default=5000, help="K")
    parser.add_argument("--num-images", type=int, default=1000)
    options = parser.parse_args()
    torch.manual_seed(0)
    model = mlp_vae((1, 28, 28))
    x = data.binarize(data.mnist("test")[0][: options.num_images], "fixed")
    ways = methods(model, x, options.num_samples)
    results: dict[str, torch.Tensor] = {}
    memory = {
        name: peak_extra_mebibytes(lambda name=name, way=way: results.update({name: way()}))
        for name, way in ways.items()
    }
    error = {name: float((result - results["loop"]).abs().max()) for name, result in results.items()}
    seconds = median_seconds(ways, options.rounds)
    rows = [
        [
            NAMES[name],
            f"{seconds[name]:.1f}",
            f"{seconds['loop'] / seconds[name]:.2f}",
            f"{error[name]:.1e}",
            "?" if memory[name] is None else f"{memory[name]:.0f}",
        ]
        for name in ways
    ]
    header = ["", "seconds", "speed (loop = 1)", "largest difference (nats)", "extra MiB"]
    text = (
        f"# The importance weighted bound, K = {options.num_samples}, {options.num_images} images\n\n"
        "MNIST, 784-400-20. "
        f"Medians of {options.rounds}, timed in turn; float32, without gradients.\n\n{table(header, rows)}"
    )
    numbers = {
        name: {"seconds": seconds[name], "error": error[name], "extra_mib": memory[name]} for name in ways
    }
    keep("iwae", text, numbers)


if __name__ == "__main__":
    main()

"""Per-sample gradients (10 000 samples, 100 dimensions, float32) against one batched backward pass.

Claim: `score_function_gradients` and `pathwise_gradients` return every sample's gradient, for μ and for log σ, in at
most 3× the time of drawing the same samples and calling `backward` once on the mean of the same surrogate, which gives
the average alone. Measure-valued gradients need 2 D evaluations of f for each of μ and σ; 100 samples stand in their
row for information. Run: `python benchmarks/gradients.py [--rounds 31]`.
"""

import argparse
from collections.abc import Callable

import torch
from common import keep, median_seconds, table
from torch import Tensor
from torch.distributions import Independent, Normal

from vaeedu import gradients, sampling

S, D = 10_000, 100


def f(z: Tensor) -> Tensor:
    """A function whose gradient is neither constant nor linear."""
    return (z.sin() * z).sum(dim=-1)


def make_distribution(loc: Tensor, log_scale: Tensor) -> Independent:
    """q(z) with D independent entries."""
    return Independent(Normal(loc, log_scale.exp()), 1)


def functions(loc: Tensor, log_scale: Tensor) -> dict[str, Callable[[], object]]:
    """What is timed: each estimator, and the one backward pass on the same surrogate."""
    g = torch.Generator().manual_seed(0)
    params = (loc, log_scale)
    leaves = tuple(p.clone().requires_grad_() for p in params)

    def score_backward() -> None:
        q = make_distribution(*leaves)
        z = sampling.draw(q, (S,), generator=g).detach()
        (f(z) * q.log_prob(z)).mean().backward()

    def pathwise_backward() -> None:
        f(sampling.draw(make_distribution(*leaves), (S,), generator=g)).mean().backward()

    return {
        "score function": lambda: gradients.score_function_gradients(
            f, make_distribution, params, S, generator=g
        ),
        "score function, backward": score_backward,
        "pathwise": lambda: gradients.pathwise_gradients(f, make_distribution, params, S, generator=g),
        "pathwise, backward": pathwise_backward,
        "measure-valued, 100 samples": lambda: gradients.measure_valued_gradients(
            f, make_distribution, params, 100, generator=g
        ),
    }


def main() -> None:
    """Runs the comparison and keeps its table."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__)
    parser.add_argument("--rounds", type=int, default=31, help="timed repetitions, taken in turn")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(2)
    g = torch.Generator().manual_seed(1)
    timed = functions(torch.randn(D, generator=g), 0.3 * torch.randn(D, generator=g))
    median_seconds(timed, 3)  # the warm-up
    seconds = median_seconds(timed, rounds)
    rows = []
    for name in ("score function", "pathwise"):
        own, plain = seconds[name], seconds[f"{name}, backward"]
        rows.append([name, f"{own * 1e3:.1f}", f"{plain * 1e3:.1f}", f"{own / plain:.2f}"])
    measured = seconds["measure-valued, 100 samples"]
    rows.append(["measure-valued, 100 samples", f"{measured * 1e3:.1f}", "–", "–"])
    text = (
        f"# Per-sample gradients, {S} samples, {D} dimensions, float32\n\n"
        f"Medians of {rounds}, taken in turn; the claim is a ratio of at most 3.\n\n"
        + table(["estimator", "per-sample gradients (ms)", "one backward (ms)", "ratio"], rows)
    )
    keep("gradients", text, seconds)


if __name__ == "__main__":
    main()

"""What a result is worth, where there is no single right array: numbers that are recomputed from what came back.

A trained network is judged by what it can do, and not by what its author says of it. Pure functions of plain arrays.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vaeedu.feedback.arrays import Array

_NUM_DRAWS = 20


def bernoulli_vae(inputs: Mapping[str, Any], outputs: Sequence[Array]) -> dict[str, float]:
    """Computes the evidence lower bound of a small variational autoencoder, in nats per image.

    The encoder is Linear(D, H), tanh, Linear(H, 2K), whose outputs are the K means and then the K values of log σ; the
    decoder is Linear(K, H), tanh, Linear(H, D), whose outputs are logits. The prior is N(0, I).

    Args:
        inputs: `x`, binary images `(N, D)`; `num_latents`, K; `num_hidden`, H.
        outputs: One vector: weight and bias of each layer in this order, a weight `(out, in)` row by row.

    Returns:
        `bound`, and its parts `reconstruction` and `kl`; `gain_if_log_variance`, by how much the bound would be higher
        if the encoder's second half were log σ²; `mean_square`, the largest mean square of a latent's mean.

    Raises:
        ValueError: The vector has another length.

    >>> x, parameters = np.array([[0.0, 1.0]]), np.zeros(2 * 3 + 3 + 3 * 2 + 2 + 3 + 3 + 3 * 2 + 2)
    >>> round(bernoulli_vae({"x": x, "num_latents": 1, "num_hidden": 3}, [parameters])["bound"], 4)
    -1.3863
    """
    x, K = inputs["x"], inputs["num_latents"]
    layers = _layers(outputs[0], x.shape[1], K, inputs["num_hidden"])
    eps = np.random.default_rng(0).standard_normal((_NUM_DRAWS, len(x), K))
    with np.errstate(over="ignore", invalid="ignore"):
        h = _network(x, *layers[:2])
        mu, log_sigma = h[:, :K], h[:, K:]
        reconstruction, kl = _terms(x, mu, log_sigma, layers, eps)
        other = _terms(x, mu, log_sigma / 2, layers, eps)
        return {
            "bound": reconstruction - kl,
            "reconstruction": reconstruction,
            "kl": kl,
            "gain_if_log_variance": other[0] - other[1] - (reconstruction - kl),
            "mean_square": float(np.square(mu).mean(axis=0).max()),
        }


# From a case's inputs and what came back, numbers by name; a ValueError says what of it cannot be measured.
Measure = Callable[[Mapping[str, Any], Sequence[Array]], dict[str, float]]
# Those that a student's check knows. Others lie beside their exercise.
MEASURES: dict[str, Measure] = {"bernoulli_vae": bernoulli_vae}


def _layers(parameters: Array, D: int, K: int, H: int) -> list[tuple[Array, Array]]:
    sizes = [(H, D), (2 * K, H), (H, K), (D, H)]
    wanted = sum(rows * columns + rows for rows, columns in sizes)
    if parameters.shape != (wanted,):
        listed = " + ".join(f"{rows}·{columns} + {rows}" for rows, columns in sizes)
        raise ValueError(
            f"`parameters` must be one vector of {listed} = {wanted} numbers, but has shape {parameters.shape}: "
            "weights and biases of the encoder's two layers, then of the decoder's"
        )
    layers, start = [], 0
    for rows, columns in sizes:
        middle, end = start + rows * columns, start + rows * columns + rows
        layers.append((parameters[start:middle].reshape(rows, columns), parameters[middle:end]))
        start = end
    return layers


def _network(inputs: Array, first: tuple[Array, Array], second: tuple[Array, Array]) -> Array:
    (W, b), (V, c) = first, second
    return np.asarray(np.tanh(inputs @ W.T + b) @ V.T + c)


def _terms(
    x: Array, mu: Array, log_sigma: Array, layers: list[tuple[Array, Array]], eps: Array
) -> tuple[float, float]:
    """Returns E_q[log p(x|z)] and KL(q ‖ p), means over the images."""
    logits = _network(mu + np.exp(log_sigma) * eps, *layers[2:])  # (S, N, D)
    log_likelihood = (x * logits - np.logaddexp(0.0, logits)).sum(axis=-1)
    kl = (0.5 * (mu**2 + np.exp(2 * log_sigma) - 1) - log_sigma).sum(axis=-1)
    return float(log_likelihood.mean()), float(kl.mean())

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
        `bound`, and its parts `reconstruction` and `kl`, and what tells how they were come by:

        - `kl_weight`, `mean_weight`: the weight β of the KL for which the encoder is at its best. Where a training with
          reconstruction − β KL ends, E[∂reconstruction/∂log σ] = β E[σ² − 1] and E[μ ∂reconstruction/∂μ] = β E[μ²],
          summed over the latents; the first says β by σ, the second by μ. NaN where all σ are 1, or all μ are 0.
        - `gain_if_log_variance`: by how much the bound would be higher if the encoder's second half were log σ².
          `bound_if_halves_exchanged`, `bound_if_decoder_first`: the bound if its halves were log σ and μ, and if the
          decoder's parameters came before the encoder's.
        - `weights_ratio`: `mean_weight` by `kl_weight`.
        - `mean_square`, the largest mean square of a latent's mean; `log_sigma`, the mean of |log σ|.
        - `right_pixels`, the share of pixels whose logit has the right sign; `finite`, the share of parameters that
          are finite numbers.

    Raises:
        ValueError: The vector has another length.

    >>> x, parameters = np.array([[0.0, 1.0]]), np.zeros(2 * 3 + 3 + 3 * 2 + 2 + 3 + 3 + 3 * 2 + 2)
    >>> round(bernoulli_vae({"x": x, "num_latents": 1, "num_hidden": 3}, [parameters])["bound"], 4)
    -1.3863
    """
    x, K, H = inputs["x"], inputs["num_latents"], inputs["num_hidden"]
    sizes = _sizes(x.shape[1], K, H)
    layers = _layers(outputs[0], sizes)
    exchanged = _layers(outputs[0], sizes[2:] + sizes[:2])
    eps = np.random.default_rng(0).standard_normal((_NUM_DRAWS, len(x), K))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        h = _network(x, *layers[:2])
        mu, log_sigma = h[:, :K], h[:, K:]
        reconstruction, kl = _terms(x, mu, log_sigma, layers, eps)
        bound = reconstruction - kl
        by_sigma, by_mean = _weights(x, mu, log_sigma, layers, eps)
        other = exchanged[2:] + exchanged[:2]
        g = _network(x, *other[:2])
        return {
            "bound": bound,
            "reconstruction": reconstruction,
            "kl": kl,
            "kl_weight": by_sigma,
            "mean_weight": by_mean,
            "weights_ratio": float(np.divide(by_mean, by_sigma)),
            "gain_if_log_variance": _bound(x, mu, log_sigma / 2, layers, eps) - bound,
            "bound_if_halves_exchanged": _bound(x, log_sigma, mu, layers, eps),
            "bound_if_decoder_first": _bound(x, g[:, :K], g[:, K:], other, eps),
            "mean_square": float(np.square(mu).mean(axis=0).max()),
            "log_sigma": float(np.abs(log_sigma).mean()),
            "right_pixels": _right_pixels(x, mu, log_sigma, layers, eps),
            "finite": float(np.isfinite(outputs[0]).mean()),
        }


# From a case's inputs and what came back, numbers by name; a ValueError says what of it cannot be measured.
Measure = Callable[[Mapping[str, Any], Sequence[Array]], dict[str, float]]
# Those that a student's check knows. Others lie beside their exercise.
MEASURES: dict[str, Measure] = {"bernoulli_vae": bernoulli_vae}


def _sizes(D: int, K: int, H: int) -> list[tuple[int, int]]:
    return [(H, D), (2 * K, H), (H, K), (D, H)]


def _layers(parameters: Array, sizes: list[tuple[int, int]]) -> list[tuple[Array, Array]]:
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


def _bound(x: Array, mu: Array, log_sigma: Array, layers: list[tuple[Array, Array]], eps: Array) -> float:
    reconstruction, kl = _terms(x, mu, log_sigma, layers, eps)
    return reconstruction - kl


def _weights(
    x: Array, mu: Array, log_sigma: Array, layers: list[tuple[Array, Array]], eps: Array
) -> tuple[float, float]:
    """Returns the KL's weight for which the gradient by a common factor of all σ is zero, and that by one of all μ."""
    (W, b), (V, c) = layers[2:]
    sigma = np.exp(log_sigma)
    hidden = np.tanh((mu + sigma * eps) @ W.T + b)
    logits = hidden @ V.T + c
    slope = ((x - 0.5 * (1 + np.tanh(logits / 2))) @ V * (1 - hidden**2)) @ W  # by z, (S, N, K)
    by_log_sigma, by_mu = (slope * sigma * eps).mean(axis=0), slope.mean(axis=0)
    spread, size = (1 - sigma**2).sum(), np.square(mu).sum()
    return float(-by_log_sigma.sum() / spread), float((mu * by_mu).sum() / size)


def _right_pixels(
    x: Array, mu: Array, log_sigma: Array, layers: list[tuple[Array, Array]], eps: Array
) -> float:
    logits = _network(mu + eps * np.exp(log_sigma), layers[2], layers[3])
    return float(((logits > 0) == (x > 0.5)).mean())

"""Information and divergence: entropy, KL divergences in closed form and by Monte Carlo, and moment matching.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong

# 1 ----------------------------------------------------------------------------------------------- entropy in bits


def counts_inputs(case, rng):
    """How often each of L symbols occurred in each of N texts; the last symbol of the hidden ones never does."""
    counts = rng.integers(1, 30, (case["N"], case["L"])).astype(np.float64)
    if case["unseen"]:
        counts[:, -1] = 0.0
    return {"counts": counts}


def entropy_bits(counts):
    p = counts / counts.sum(dim=-1, keepdim=True)
    return -torch.special.xlogy(p, p).sum(dim=-1) / math.log(2)


def entropy_loops(counts):
    result = []
    for row in counts.tolist():
        total = sum(row)
        result.append(sum(n / total * math.log2(total / n) for n in row if n > 0))
    return result


def entropy_numpy(counts):
    p = counts.numpy() / counts.numpy().sum(axis=1, keepdims=True)
    return np.where(p > 0, -p * np.log2(np.where(p > 0, p, 1.0)), 0.0).sum(axis=1)


def entropy_distribution(counts):
    return torch.distributions.Categorical(probs=counts).entropy() / math.log(2.0)


def entropy_in_nats(counts):
    p = counts / counts.sum(dim=-1, keepdim=True)
    return -torch.special.xlogy(p, p).sum(dim=-1)


def entropy_mean_for_sum(counts):
    p = counts / counts.sum(dim=-1, keepdim=True)
    return -torch.special.xlogy(p, p).mean(dim=-1) / math.log(2)


def entropy_over_texts(counts):
    p = counts / counts.sum(dim=0, keepdim=True)
    return -torch.special.xlogy(p, p).sum(dim=0) / math.log(2)


def entropy_normalised_together(counts):
    p = counts / counts.sum()
    return -torch.special.xlogy(p, p).sum(dim=-1) / math.log(2)


def entropy_without_sign(counts):
    p = counts / counts.sum(dim=-1, keepdim=True)
    return torch.special.xlogy(p, p).sum(dim=-1) / math.log(2)


def entropy_unweighted(counts):
    p = counts / counts.sum(dim=-1, keepdim=True)
    return -torch.where(p > 0, p, 1.0).log2().mean(dim=-1)


def entropy_with_nan(counts):
    p = counts / counts.sum(dim=-1, keepdim=True)
    return -(p * p.log2()).sum(dim=-1)


ENTROPY = Exercise(
    name="entropy_bits",
    outputs=(Output("entropy", ("N",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=counts_inputs,
    cases={
        "visible": ({"N": 4, "L": 3, "unseen": False}, {"N": 1, "L": 5, "unseen": False}),
        "hidden": (
            {"N": 3, "L": 6, "unseen": True},
            {"N": 1, "L": 4, "unseen": True},
            {"N": 5, "L": 2, "unseen": False},
        ),
    },
    reference=entropy_bits,
    wrong=(
        Wrong(
            entropy_in_nats,
            "Your values are in nats: you used the natural logarithm. Bits need log₂, or a division by "
            "log 2 at the end.",
        ),
        Wrong(
            entropy_mean_for_sum,
            "You averaged over the symbols. The weights p are in the sum already, Σ p log₂(1/p): a mean "
            "divides by L once more.",
        ),
        Wrong(
            entropy_over_texts,
            "You summed over the texts. Each row is a text of its own, and its symbols lie along the last "
            "dimension (dim=-1).",
        ),
        Wrong(
            entropy_normalised_together,
            "You divided by the count of all texts together. Each text has a distribution of its own: every "
            "row of p must sum to 1 (keepdim=True helps).",
        ),
        Wrong(
            entropy_without_sign,
            "The sign is missing: log p is negative, surprise is −log p, and entropy is never below 0.",
        ),
        Wrong(
            entropy_unweighted,
            "You took the plain mean of the surprises. Expected surprise weighs each by how often it "
            "happens: Σ p log₂(1/p).",
        ),
        Wrong(
            entropy_with_nan,
            "A symbol that never occurs gives 0 · log 0, which is nan in floating point. By definition it "
            "is 0: treat such symbols separately, or use torch.special.xlogy.",
            loses=("hidden",),
        ),
    ),
    alternatives=(entropy_loops, entropy_numpy, entropy_distribution),
)

# 2 ------------------------------------------------------------------------------------------- KL of probabilities


def probabilities_inputs(case, rng):
    """Two distributions over L outcomes for each example; where asked for, q never uses the first outcome."""
    q = rng.dirichlet(np.ones(case["L"]), case["B"]) * 0.9 + 0.1 / case["L"]
    p = rng.dirichlet(np.ones(case["L"]), case["B"]) * 0.8 + 0.2 / case["L"]
    if case["zeros"]:
        q[:, 0] = 0.0
        q = q / q.sum(axis=1, keepdims=True)
    return {"q": q, "p": p}


def kl_discrete(q, p):
    return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)


def kl_loops(q, p):
    return [
        sum(a * math.log(a / b) for a, b in zip(row, other, strict=True) if a > 0)
        for row, other in zip(q.tolist(), p.tolist(), strict=True)
    ]


def kl_numpy_cross_entropy(q, p):
    q, p = q.numpy(), p.numpy()
    entropy = -np.where(q > 0, q * np.log(np.where(q > 0, q, 1.0)), 0.0).sum(axis=1)
    return -(q * np.log(p)).sum(axis=1) - entropy


def kl_functional(q, p):
    return torch.nn.functional.kl_div(p.log(), q, reduction="none").sum(dim=-1)


def kl_swapped(q, p):
    safe = torch.where(q > 0, q, 1.0)
    return torch.where(q > 0, p * (p / safe).log(), 0.0).sum(dim=-1)


def kl_cross_entropy_only(q, p):
    return -torch.special.xlogy(q, p).sum(dim=-1)


def kl_in_bits(q, p):
    return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1) / math.log(2)


def kl_over_examples(q, p):
    return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum()


def kl_mean_for_sum(q, p):
    return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).mean(dim=-1)


def kl_entropies_added(q, p):
    return (-torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)


def kl_absolute_terms(q, p):
    return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).abs().sum(dim=-1)


def kl_smoothed(q, p):
    q = torch.where(q > 0, q, 0.01)
    return (q * (q / p).log()).sum(dim=-1)


KL_DISCRETE = Exercise(
    name="kl_discrete",
    outputs=(Output("kl", ("B",)),),
    points={"visible": 1, "hidden": 2},
    make_inputs=probabilities_inputs,
    cases={
        "visible": ({"B": 4, "L": 3, "zeros": False}, {"B": 1, "L": 6, "zeros": False}),
        "hidden": (
            {"B": 3, "L": 5, "zeros": True},
            {"B": 1, "L": 4, "zeros": True},
            {"B": 6, "L": 2, "zeros": False},
        ),
    },
    reference=kl_discrete,
    wrong=(
        Wrong(
            kl_swapped,
            "The direction is swapped: this is KL(p ‖ q). The mean is taken over the first argument, so the "
            "weights are q and the ratio is q / p.",
        ),
        Wrong(
            kl_cross_entropy_only,
            "This is the cross-entropy, the length of the wrong code. The divergence is its excess over the "
            "best code: subtract the entropy of q.",
        ),
        Wrong(
            kl_in_bits,
            "Your values are in bits. Here log is the natural logarithm: leave out the division by log 2.",
        ),
        Wrong(
            kl_over_examples,
            "You summed over the examples. In this course divergences are per example, shape (B,): sum over "
            "outcomes only.",
        ),
        Wrong(
            kl_mean_for_sum,
            "You averaged over the outcomes. The weights q are in the sum already: Σ q log(q/p), without a "
            "division by L.",
        ),
        Wrong(
            kl_entropies_added,
            "A sign is wrong: you added the entropy of q to the cross-entropy. KL is −entropy + "
            "cross-entropy, and 0 for q = p.",
        ),
        Wrong(
            kl_absolute_terms,
            "You took absolute values of the terms. Single terms may be negative; only their sum never is.",
        ),
        Wrong(
            kl_smoothed,
            "You replaced zeros by a small number. 0 · log 0 is exactly 0: an outcome that q never uses "
            "adds nothing to KL(q ‖ p).",
            loses=("hidden",),
        ),
    ),
    alternatives=(kl_loops, kl_numpy_cross_entropy, kl_functional),
)

# 3 -------------------------------------------------------------------------------------------- diagonal Gaussians


def gaussian_inputs(case, rng):
    """Means and scales far from 1; the visible p is standard normal, as a VAE's prior, the hidden ones are not."""
    B, K = case["B"], case["K"]
    loc_q = 1.5 * rng.standard_normal((B, K))
    scale_q = np.exp(0.6 * rng.standard_normal((B, K)) - 0.3)
    loc_p, scale_p = np.zeros(K), np.ones(K)
    if not case["standard"]:
        loc_p, scale_p = rng.standard_normal(K) + 1, np.exp(0.4 * rng.standard_normal(K) + 0.6)
    return {"loc_q": loc_q, "scale_q": scale_q, "loc_p": loc_p, "scale_p": scale_p}


def kl_gaussians(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=-1)


def gaussians_distribution(loc_q, scale_q, loc_p, scale_p):
    q, p = torch.distributions.Normal(loc_q, scale_q), torch.distributions.Normal(loc_p, scale_p)
    return torch.distributions.kl_divergence(q, p).sum(dim=-1)


def gaussians_numpy(loc_q, scale_q, loc_p, scale_p):
    m, s, n, t = (np.asarray(v) for v in (loc_q, scale_q, loc_p, scale_p))
    r = (s / t) ** 2
    return 0.5 * (r - 1 - np.log(r) + ((m - n) / t) ** 2).sum(axis=1)


def gaussians_loops(loc_q, scale_q, loc_p, scale_p):
    result = []
    for means, scales in zip(loc_q.tolist(), scale_q.tolist(), strict=True):
        total = 0.0
        for m, s, n, t in zip(means, scales, loc_p.tolist(), scale_p.tolist(), strict=True):
            minus_entropy = -0.5 * math.log(2 * math.pi * s * s) - 0.5
            cross_entropy = 0.5 * math.log(2 * math.pi * t * t) + (s * s + (m - n) ** 2) / (2 * t * t)
            total += minus_entropy + cross_entropy
        result.append(total)
    return result


def gaussians_full_covariance(loc_q, scale_q, loc_p, scale_p):
    q = torch.distributions.MultivariateNormal(loc_q, torch.diag_embed(scale_q**2))
    p = torch.distributions.MultivariateNormal(loc_p, torch.diag(scale_p**2))
    return torch.distributions.kl_divergence(q, p)


def gaussians_swapped(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_q / scale_p).log() + (scale_p**2 + (loc_q - loc_p) ** 2) / (2 * scale_q**2) - 0.5
    return terms.sum(dim=-1)


def gaussians_sigma_for_variance(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q + (loc_q - loc_p) ** 2) / (2 * scale_p) - 0.5
    return terms.sum(dim=-1)


def gaussians_log_of_variances(loc_q, scale_q, loc_p, scale_p):
    terms = 2 * (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum(dim=-1)


def gaussians_missing_half(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2)
    return terms.sum(dim=-1)


def gaussians_half_once(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2)
    return terms.sum(dim=-1) - 0.5


def gaussians_averaged(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.mean(dim=-1)


def gaussians_over_batch(loc_q, scale_q, loc_p, scale_p):
    terms = (scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5
    return terms.sum()


def gaussians_without_log(loc_q, scale_q, loc_p, scale_p):
    return ((scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5).sum(dim=-1)


def gaussians_standard_p(loc_q, scale_q, loc_p, scale_p):
    return (0.5 * (scale_q**2 + loc_q**2 - 1) - scale_q.log()).sum(dim=-1)


KL_GAUSSIANS = Exercise(
    name="kl_gaussians",
    outputs=(Output("kl", ("B",)),),
    points={"visible": 1, "hidden": 3},
    make_inputs=gaussian_inputs,
    cases={
        "visible": ({"B": 4, "K": 3, "standard": True}, {"B": 3, "K": 1, "standard": True}),
        "hidden": (
            {"B": 5, "K": 2, "standard": False},
            {"B": 1, "K": 4, "standard": False},
            {"B": 3, "K": 1, "standard": False},
        ),
    },
    reference=kl_gaussians,
    wrong=(
        Wrong(
            gaussians_swapped,
            "The direction is swapped: this is KL(p ‖ q). In KL(q ‖ p) the squared terms are divided by the "
            "variance of p.",
        ),
        Wrong(
            gaussians_sigma_for_variance,
            "You put σ where σ² belongs. scale is a standard deviation: the spread of q and the divisor are "
            "variances, scale².",
        ),
        Wrong(
            gaussians_log_of_variances,
            "Your logarithm is twice too large. With standard deviations it is log(σ_p/σ_q); with variances "
            "it would be ½ log(σ_p²/σ_q²).",
        ),
        Wrong(
            gaussians_missing_half,
            "The −½ is missing: it is minus the entropy's constant. Without it KL(p ‖ p) would not be 0.",
        ),
        Wrong(
            gaussians_half_once,
            "You subtracted ½ once. Each of the K coordinates has a −½ of its own, so together they are −K/2.",
        ),
        Wrong(
            gaussians_averaged,
            "You averaged over the K coordinates. Densities of independent coordinates multiply, so "
            "divergences add up: sum over the last dimension.",
        ),
        Wrong(
            gaussians_over_batch,
            "You summed over the examples. In this course divergences are per example, shape (B,): sum over "
            "coordinates, never over the batch.",
        ),
        Wrong(
            gaussians_without_log,
            "The logarithm of the scales' ratio is missing. Without it nothing keeps σ_q from shrinking to 0.",
        ),
        Wrong(
            gaussians_standard_p,
            "Your formula is for p = N(0, I), as the visible inputs have it. The function gets loc_p and "
            "scale_p, and must use them.",
            loses=("hidden",),
        ),
    ),
    alternatives=(gaussians_distribution, gaussians_numpy, gaussians_loops, gaussians_full_covariance),
)

# 4 ------------------------------------------------------------------------------------------------ full covariances


def covariance_inputs(case, rng):
    """Two full covariances of different sizes and directions, and two means."""
    K = case["K"]

    def covariance(size):
        A = rng.standard_normal((K, K))
        return size * (A @ A.T / K + 0.3 * np.eye(K))

    return {
        "loc_q": rng.standard_normal(K),
        "covariance_q": covariance(case["size_q"]),
        "loc_p": rng.standard_normal(K) + 0.5,
        "covariance_p": covariance(case["size_p"]),
    }


def kl_full(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_p, covariance_q))
    log_det = torch.linalg.slogdet(covariance_p)[1] - torch.linalg.slogdet(covariance_q)[1]
    return 0.5 * (trace - len(d) + d @ torch.linalg.solve(covariance_p, d) + log_det)


def full_distribution(loc_q, covariance_q, loc_p, covariance_p):
    q = torch.distributions.MultivariateNormal(loc_q, covariance_q)
    return torch.distributions.kl_divergence(q, torch.distributions.MultivariateNormal(loc_p, covariance_p))


def full_cholesky(loc_q, covariance_q, loc_p, covariance_p):
    L_q, L_p = torch.linalg.cholesky(covariance_q), torch.linalg.cholesky(covariance_p)
    M = torch.linalg.solve_triangular(L_p, L_q, upper=False)
    z = torch.linalg.solve_triangular(L_p, (loc_q - loc_p)[:, None], upper=False)
    return 0.5 * ((M**2).sum() - len(loc_q) + (z**2).sum()) - M.diagonal().log().sum()


def full_numpy_eigenvalues(loc_q, covariance_q, loc_p, covariance_p):
    m, A, n, B = (v.numpy().astype(np.float64) for v in (loc_q, covariance_q, loc_p, covariance_p))
    ratio = np.linalg.eigvals(np.linalg.solve(B, A)).real
    return 0.5 * float((ratio - 1 - np.log(ratio)).sum() + (m - n) @ np.linalg.inv(B) @ (m - n))


def full_swapped(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_q, covariance_p))
    log_det = torch.linalg.slogdet(covariance_q)[1] - torch.linalg.slogdet(covariance_p)[1]
    return 0.5 * (trace - len(d) + d @ torch.linalg.solve(covariance_q, d) + log_det)


def full_without_log_det(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_p, covariance_q))
    return 0.5 * (trace - len(d) + d @ torch.linalg.solve(covariance_p, d))


def full_log_det_reversed(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_p, covariance_q))
    log_det = torch.linalg.slogdet(covariance_q)[1] - torch.linalg.slogdet(covariance_p)[1]
    return 0.5 * (trace - len(d) + d @ torch.linalg.solve(covariance_p, d) + log_det)


def full_without_k(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_p, covariance_q))
    log_det = torch.linalg.slogdet(covariance_p)[1] - torch.linalg.slogdet(covariance_q)[1]
    return 0.5 * (trace + d @ torch.linalg.solve(covariance_p, d) + log_det)


def full_without_half(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_p, covariance_q))
    log_det = torch.linalg.slogdet(covariance_p)[1] - torch.linalg.slogdet(covariance_q)[1]
    return trace - len(d) + d @ torch.linalg.solve(covariance_p, d) + log_det


def full_diagonal_only(loc_q, covariance_q, loc_p, covariance_p):
    a, b = covariance_q.diagonal(), covariance_p.diagonal()
    return 0.5 * ((a / b) - 1 - (a / b).log() + (loc_q - loc_p) ** 2 / b).sum()


def full_distance_by_q(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_p, covariance_q))
    log_det = torch.linalg.slogdet(covariance_p)[1] - torch.linalg.slogdet(covariance_q)[1]
    return 0.5 * (trace - len(d) + d @ torch.linalg.solve(covariance_q, d) + log_det)


def full_of_det(loc_q, covariance_q, loc_p, covariance_p):
    d = loc_p - loc_q
    trace = torch.trace(torch.linalg.solve(covariance_p, covariance_q))
    log_det = torch.linalg.det(covariance_p).log() - torch.linalg.det(covariance_q).log()
    return 0.5 * (trace - len(d) + d @ torch.linalg.solve(covariance_p, d) + log_det)


KL_FULL = Exercise(
    name="kl_full",
    outputs=(Output("kl", ()),),
    points={"visible": 1, "hidden": 3},
    make_inputs=covariance_inputs,
    cases={
        "visible": ({"K": 3, "size_q": 1.0, "size_p": 2.0}, {"K": 1, "size_q": 3.0, "size_p": 0.7}),
        "hidden": (
            {"K": 2, "size_q": 0.5, "size_p": 1.5},
            {"K": 5, "size_q": 2.0, "size_p": 0.8},
            {"K": 1, "size_q": 0.4, "size_p": 1.1},
            # det of the first is far below the smallest float64; its logarithm is an ordinary number.
            {"K": 60, "size_q": 1e-7, "size_p": 1.0},
        ),
    },
    reference=kl_full,
    wrong=(
        Wrong(
            full_swapped,
            "The direction is swapped: this is KL(p ‖ q). It is the inverse covariance of p that appears in "
            "KL(q ‖ p).",
        ),
        Wrong(
            full_without_log_det,
            "The log-determinants are missing. They are the difference of the entropies: "
            "log |Σ_p| − log |Σ_q|.",
        ),
        Wrong(
            full_log_det_reversed,
            "The log-determinants have the wrong sign. A smaller Σ_q has less entropy, which makes the "
            "divergence larger: log |Σ_p| − log |Σ_q|.",
        ),
        Wrong(
            full_without_k,
            "The −K is missing. For q = p the trace is K, and the divergence must be 0.",
        ),
        Wrong(
            full_without_half,
            "The ½ is missing. Every term of the bracket is halved, as in the Gaussian's exponent.",
        ),
        Wrong(
            full_diagonal_only,
            "You used the diagonals only. Off-diagonal entries say how coordinates vary together: use the "
            "whole matrices.",
        ),
        Wrong(
            full_distance_by_q,
            "You measured the distance of the means in units of q. In the cross-entropy it is divided by "
            "the covariance of p.",
        ),
        Wrong(
            full_of_det,
            "Your formula is right but underflows in many dimensions: a determinant is a product of K "
            "factors. Compute its logarithm directly (torch.linalg.slogdet, or Cholesky factors).",
            loses=("hidden",),
        ),
    ),
    alternatives=(full_distribution, full_cholesky, full_numpy_eigenvalues),
)

# 5 ----------------------------------------------------------------------------------------------------- Monte Carlo


def samples_inputs(case, rng):
    """Draws from q, and the parameters of two univariate Gaussians. The hidden ones differ in their scales."""
    loc_q, scale_q = case["loc"], case["scale_q"]
    z = loc_q + scale_q * rng.standard_normal(case["S"])
    return {"z": z, "loc_q": loc_q, "scale_q": scale_q, "loc_p": -0.5, "scale_p": case["scale_p"]}


def kl_estimate(z, loc_q, scale_q, loc_p, scale_p):
    log_q = -0.5 * ((z - loc_q) / scale_q) ** 2 - math.log(scale_q)
    log_p = -0.5 * ((z - loc_p) / scale_p) ** 2 - math.log(scale_p)
    terms = log_q - log_p
    return terms.mean(), terms.std() / math.sqrt(len(terms))


def estimate_distributions(z, loc_q, scale_q, loc_p, scale_p):
    q, p = torch.distributions.Normal(loc_q, scale_q), torch.distributions.Normal(loc_p, scale_p)
    terms = q.log_prob(z) - p.log_prob(z)
    return [terms.mean(), (terms.var() / terms.numel()).sqrt()]


def estimate_numpy(z, loc_q, scale_q, loc_p, scale_p):
    z = z.numpy().astype(np.float64)
    terms = ((z - loc_p) / scale_p) ** 2 / 2 - ((z - loc_q) / scale_q) ** 2 / 2 + np.log(scale_p / scale_q)
    return np.mean(terms), np.std(terms, ddof=1) / np.sqrt(terms.size)


def estimate_loops(z, loc_q, scale_q, loc_p, scale_p):
    def log_density(value, loc, scale):
        return -((value - loc) ** 2) / (2 * scale**2) - math.log(scale * math.sqrt(2 * math.pi))

    terms = [log_density(v, loc_q, scale_q) - log_density(v, loc_p, scale_p) for v in z.tolist()]
    mean = sum(terms) / len(terms)
    variance = sum((t - mean) ** 2 for t in terms) / (len(terms) - 1)
    return mean, math.sqrt(variance / len(terms))


def estimate_swapped(z, loc_q, scale_q, loc_p, scale_p):
    q, p = torch.distributions.Normal(loc_q, scale_q), torch.distributions.Normal(loc_p, scale_p)
    terms = p.log_prob(z) - q.log_prob(z)
    return terms.mean(), terms.std() / math.sqrt(len(terms))


def estimate_standard_deviation(z, loc_q, scale_q, loc_p, scale_p):
    q, p = torch.distributions.Normal(loc_q, scale_q), torch.distributions.Normal(loc_p, scale_p)
    terms = q.log_prob(z) - p.log_prob(z)
    return terms.mean(), terms.std()


def estimate_error_over_s(z, loc_q, scale_q, loc_p, scale_p):
    q, p = torch.distributions.Normal(loc_q, scale_q), torch.distributions.Normal(loc_p, scale_p)
    terms = q.log_prob(z) - p.log_prob(z)
    return terms.mean(), terms.std() / len(terms)


def estimate_variance_over_s(z, loc_q, scale_q, loc_p, scale_p):
    q, p = torch.distributions.Normal(loc_q, scale_q), torch.distributions.Normal(loc_p, scale_p)
    terms = q.log_prob(z) - p.log_prob(z)
    return terms.mean(), terms.var() / len(terms)


def estimate_without_entropy(z, loc_q, scale_q, loc_p, scale_p):
    terms = -torch.distributions.Normal(loc_p, scale_p).log_prob(z)
    return terms.mean(), terms.std() / math.sqrt(len(terms))


def estimate_weighted_again(z, loc_q, scale_q, loc_p, scale_p):
    q, p = torch.distributions.Normal(loc_q, scale_q), torch.distributions.Normal(loc_p, scale_p)
    terms = q.log_prob(z).exp() * (q.log_prob(z) - p.log_prob(z))
    return terms.mean(), terms.std() / math.sqrt(len(terms))


def estimate_without_normalisers(z, loc_q, scale_q, loc_p, scale_p):
    terms = -0.5 * ((z - loc_q) / scale_q) ** 2 + 0.5 * ((z - loc_p) / scale_p) ** 2
    return terms.mean(), terms.std() / math.sqrt(len(terms))


ESTIMATE = Exercise(
    name="kl_estimate",
    outputs=(Output("estimate", ()), Output("standard_error", ())),
    points={"visible": 1, "hidden": 2},
    make_inputs=samples_inputs,
    cases={
        "visible": (
            {"S": 8, "K": 1, "loc": 1.0, "scale_q": 0.8, "scale_p": 0.8},
            {"S": 20, "K": 1, "loc": 0.5, "scale_q": 1.5, "scale_p": 1.5},
        ),
        "hidden": (
            {"S": 12, "K": 1, "loc": 1.2, "scale_q": 0.6, "scale_p": 1.4},
            {"S": 30, "K": 1, "loc": -1.0, "scale_q": 2.0, "scale_p": 0.9},
            {"S": 5, "K": 1, "loc": 0.3, "scale_q": 1.1, "scale_p": 2.2},
        ),
    },
    reference=kl_estimate,
    wrong=(
        Wrong(
            estimate_swapped,
            "The sign is reversed: your terms are log p − log q, whose mean over q is minus the divergence.",
        ),
        Wrong(
            estimate_standard_deviation,
            "You returned the spread of a single term. The mean of S terms is more certain: divide the "
            "standard deviation by √S.",
        ),
        Wrong(
            estimate_error_over_s,
            "You divided the standard deviation by S. Variances shrink like 1/S, standard errors like 1/√S.",
        ),
        Wrong(
            estimate_variance_over_s,
            "You returned the variance of the mean, in nats². The standard error is its square root, in nats.",
        ),
        Wrong(
            estimate_without_entropy,
            "Your terms are −log p(z) only, which estimates the cross-entropy. Add log q(z).",
        ),
        Wrong(
            estimate_weighted_again,
            "You weighted the terms with q(z). The samples come from q already, so likely values are there "
            "more often: take the plain mean.",
        ),
        Wrong(
            estimate_without_normalisers,
            "You dropped the normalising constants. They cancel only if both scales are equal, as in the "
            "visible inputs: −log σ_q + log σ_p remains.",
            loses=("hidden",),
        ),
    ),
    alternatives=(estimate_distributions, estimate_numpy, estimate_loops),
)

# 7 ------------------------------------------------------------------------------------------------ moment matching


def mixture_inputs(case, rng):
    """A mixture of K Gaussians; the visible ones have equal weights, the hidden ones do not."""
    K = case["K"]
    weights = np.full(K, 1.0 / K) if case["equal"] else rng.dirichlet(6 * np.ones(K))
    return {
        "weights": weights,
        "locs": 3.0 * np.arange(K) + rng.standard_normal(K) - 2,
        "scales": np.exp(0.4 * rng.standard_normal(K) + 1.2),
    }


def match_moments(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()


def match_second_moment(weights, locs, scales):
    loc = weights @ locs
    return loc, torch.sqrt(weights @ (scales**2 + locs**2) - loc**2)


def match_distribution(weights, locs, scales):
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(weights), torch.distributions.Normal(locs, scales)
    )
    return mixture.mean, mixture.variance.sqrt()


def match_loops(weights, locs, scales):
    rows = list(zip(weights.tolist(), locs.tolist(), scales.tolist(), strict=True))
    loc = sum(w * m for w, m, _ in rows)
    return [loc, math.sqrt(sum(w * (s * s + (m - loc) ** 2) for w, m, s in rows))]


def match_within_only(weights, locs, scales):
    return (weights * locs).sum(), (weights * scales**2).sum().sqrt()


def match_between_only(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights * (locs - loc) ** 2).sum().sqrt()


def match_variance(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights * (scales**2 + (locs - loc) ** 2)).sum()


def match_sigma_for_variance(weights, locs, scales):
    loc = (weights * locs).sum()
    return loc, (weights * (scales + (locs - loc) ** 2)).sum().sqrt()


def match_mode(weights, locs, scales):
    # The mode that the reverse divergence would choose: the one of the highest density at its peak.
    k = int((weights / scales).argmax())
    return locs[k], scales[k]


def match_equal_weights(weights, locs, scales):
    loc = locs.mean()
    return loc, (scales**2 + (locs - loc) ** 2).mean().sqrt()


MATCH = Exercise(
    name="match_moments",
    outputs=(Output("loc", ()), Output("scale", ())),
    points={"visible": 1, "hidden": 1},
    make_inputs=mixture_inputs,
    cases={
        "visible": ({"K": 2, "equal": True}, {"K": 3, "equal": True}, {"K": 1, "equal": True}),
        "hidden": ({"K": 2, "equal": False}, {"K": 4, "equal": False}, {"K": 1, "equal": False}),
    },
    reference=match_moments,
    wrong=(
        Wrong(
            match_within_only,
            "Your variance is the mean of the components' variances. The means lie apart as well: add the "
            "spread of the component means around the common mean.",
        ),
        Wrong(
            match_between_only,
            "Your variance is that of the component means alone. Each component has a spread of its own as "
            "well: add the mean of the components' variances.",
        ),
        Wrong(
            match_variance,
            "The second value is the variance. What is asked for is the standard deviation, its square root.",
        ),
        Wrong(
            match_sigma_for_variance,
            "You added scale where its square belongs. scales are standard deviations; a variance is scale².",
        ),
        Wrong(
            match_mode,
            "You returned a single component, which is what minimising the reverse divergence would do. The "
            "forward one covers them all: match the mean and the variance.",
        ),
        Wrong(
            match_equal_weights,
            "You left out the weights. The visible mixtures have equal ones; in general every mean is "
            "weighted by them.",
            loses=("hidden",),
        ),
    ),
    alternatives=(match_second_moment, match_distribution, match_loops),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("divergences",)

EXERCISES = (ENTROPY, KL_DISCRETE, KL_GAUSSIANS, KL_FULL, ESTIMATE, MATCH)

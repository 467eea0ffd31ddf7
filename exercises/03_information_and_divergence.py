"""Information and divergence: entropy, KL divergences in closed form and by Monte Carlo, and moment matching.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu_grader.authoring.slips import slip

# 1 ----------------------------------------------------------------------------------------------- entropy in bits


def counts_inputs(case, rng):
    """How often each of L symbols occurred in each of N texts; the last symbol is missing in some hidden ones."""
    counts = rng.integers(1, 30, (case["N"], case["L"])).astype(np.float64)
    if case["unseen"]:
        # One symbol occurs once, another nearly always.
        counts[:, 0], counts[:, 1] = 1.0, rng.integers(300, 500, case["N"])
        counts[: max(1, case["N"] - 1), -1] = 0.0  # of several texts the last one has them all
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
        slip(
            entropy_bits,
            {"/ math.log(2)": "* math.log(2)"},
            "You multiplied by log 2. A bit is log 2 = 0.69 nats, so the number of bits is larger: divide.",
        ),
        slip(
            entropy_bits,
            {"/ math.log(2)": "/ math.log(10)"},
            "Your logarithm has base 10. Bits need log₂, or a division of natural logarithms by log 2.",
        ),
        slip(
            entropy_bits,
            {"counts / counts.sum(dim=-1, keepdim=True)": "counts.softmax(dim=-1)"},
            "You took the softmax of the counts. Probabilities are shares here: a count divided by the sum of its row.",
        ),
        slip(
            entropy_bits,
            {"torch.special.xlogy(p, p)": "torch.special.xlogy(p, counts)"},
            "Your logarithm is that of the counts. Surprise is the logarithm of one over the probability: log₂(1/p).",
        ),
        slip(
            entropy_bits,
            {"torch.special.xlogy(p, p)": "torch.special.xlogy(counts, p)"},
            "Your weights are the counts. Expected surprise weighs by probabilities, which add up to 1: Σ p log₂(1/p).",
        ),
        slip(
            entropy_bits,
            {"return -torch.special.xlogy(p, p).sum(dim=-1) / math.log(2)": "return 1 - (p * p).sum(dim=-1)"},
            "This is 1 − Σ p², the probability that two symbols differ. Entropy is the expected surprise, Σ p log₂(1/p).",
        ),
        slip(
            entropy_bits,
            {
                "return -torch.special.xlogy(p, p).sum(dim=-1) / math.log(2)": "return -torch.where(p > 0, p, 1.0).log2().min(dim=-1).values"
            },
            "You gave the largest surprise. Entropy is the expected one: each surprise weighted by its probability, and summed.",
        ),
        slip(
            entropy_bits,
            {
                "return -torch.special.xlogy(p, p).sum(dim=-1) / math.log(2)": "return -p.max(dim=-1).values.log2()"
            },
            "You gave the surprise of the most frequent symbol. Entropy weighs the surprise of every symbol by its probability, and sums.",
        ),
        slip(
            entropy_bits,
            {
                "return -torch.special.xlogy(p, p).sum(dim=-1) / math.log(2)": "return -torch.where(p > 0, p, 1.0).log2().sum(dim=-1)"
            },
            "The weights p are missing. Expected surprise weighs each surprise by how often it happens: Σ p log₂(1/p).",
        ),
        slip(
            entropy_bits,
            {
                "torch.special.xlogy(p, p).sum(dim=-1)": "(torch.special.xlogy(p, p) + torch.special.xlogy(1 - p, 1 - p)).sum(dim=-1)"
            },
            "You added the entropies of 'this symbol or another' for every symbol. A text's entropy is Σ p log₂(1/p), without the terms of 1 − p.",
        ),
        slip(
            entropy_bits,
            {"/ math.log(2)": "/ math.log(counts.shape[-1])"},
            "You divided by log L, which makes the largest entropy 1. Bits are log₂: divide by log 2.",
        ),
        slip(
            entropy_bits,
            {
                "return -torch.special.xlogy(p, p).sum(dim=-1) / math.log(2)": "return (-torch.special.xlogy(p, p).sum(dim=-1)).exp()"
            },
            "You gave the exponential of the entropy, a number of equally likely symbols. Asked for is the entropy itself, in bits.",
        ),
        slip(
            entropy_bits,
            {
                "return -torch.special.xlogy(p, p).sum(dim=-1) / math.log(2)": "return torch.full_like(p[..., 0], math.log2(p.shape[-1]))"
            },
            "You gave log₂ L, which is the entropy of equally likely symbols. These have probabilities of their own.",
        ),
        slip(
            entropy_bits,
            {
                "counts / counts.sum(dim=-1, keepdim=True)": "(counts + 1) / (counts + 1).sum(dim=-1, keepdim=True)"
            },
            "You added 1 to each count. The probabilities are the shares as they are: a count divided by the sum of its row.",
        ),
        slip(
            entropy_bits,
            {
                "/ counts.sum(dim=-1, keepdim=True)\n": "/ counts.sum(dim=-1, keepdim=True)\n    p = p.clamp(min=0.01)\n"
            },
            "You kept probabilities away from 0 by a clamp. A symbol that never occurs, or hardly ever, then adds what it should not: 0 · log 0 is exactly 0.",
            loses=("hidden",),
        ),
        slip(
            entropy_bits,
            {"torch.special.xlogy(p, p)": "torch.where(p > 0, torch.special.xlogy(p, p), -math.log(2))"},
            "A symbol that never occurs adds one bit in your sum. Its part is 0 · log 0, which is 0.",
            loses=("hidden",),
        ),
        slip(
            entropy_bits,
            {"torch.special.xlogy(p, p)": "torch.special.xlogy(p, p.clamp(min=0.01))"},
            "You kept the probability in the logarithm away from 0. A rare symbol then has too little surprise; only 0 · log 0 needs care, and it is exactly 0.",
            loses=("hidden",),
        ),
        slip(
            entropy_bits,
            {"torch.special.xlogy(p, p)": "torch.special.xlogy(p * (counts != 1), p)"},
            "A symbol that occurs once adds nothing in your sum. It has the surprise log₂(1/p), weighted by its small p.",
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
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (torch.special.xlogy(q, p) - torch.special.xlogy(q, q)).sum(dim=-1)"
            },
            "The sign is turned: your terms are q log(p/q). A divergence is never negative: q log(q/p).",
        ),
        slip(
            kl_discrete,
            {
                "torch.special.xlogy(q, q) - torch.special.xlogy(q, p)": "torch.special.xlogy(p, q) - torch.special.xlogy(p, p)"
            },
            "You weighed the logarithms of q/p by p. The mean is taken over the first argument, q.",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1).mean().expand(len(q))"
            },
            "You averaged over the examples, too. In this course divergences are per example, shape (B,): sum over the outcomes only.",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum().expand(len(q))"
            },
            "Every example has the sum over all examples. In this course divergences are per example, shape (B,): sum over the outcomes only.",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return 0.5 * (torch.special.xlogy(q, q) - torch.special.xlogy(q, p) + torch.where(q > 0, p * (p / torch.where(q > 0, q, 1.0)).log(), 0.0)).sum(dim=-1)"
            },
            "You averaged both directions. KL(q ‖ p) is one of them: the mean over q of log(q/p).",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p) + torch.where(q > 0, p * (p / torch.where(q > 0, q, 1.0)).log(), 0.0)).sum(dim=-1)"
            },
            "You added both directions. KL(q ‖ p) is one of them: the mean over q of log(q/p).",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return 0.5 * (torch.special.xlogy(q, q) - torch.special.xlogy(q, (p + q) / 2) + torch.special.xlogy(p, p) - torch.special.xlogy(p, (p + q) / 2)).sum(dim=-1)"
            },
            "This is the divergence of Jensen and Shannon, from the average of q and p. KL(q ‖ p) compares q with p itself.",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return torch.where(q > 0, (torch.where(q > 0, q, 1.0) / p).log(), 0.0).sum(dim=-1)"
            },
            "The weights q are missing: you summed log(q/p). The divergence is its mean over q, Σ q log(q/p).",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).clamp(min=0).sum(dim=-1)"
            },
            "You cut negative terms off at 0. Single terms may be negative; only their sum never is.",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (q * q / p).sum(dim=-1).log()"
            },
            "You took the logarithm of the mean ratio. The divergence is the mean of the logarithm: Σ q log(q/p).",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (torch.special.xlogy(q, q) / p).sum(dim=-1)"
            },
            "You divided outside of the logarithm: q log(q) / p. The ratio belongs inside, q log(q/p).",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return ((q - p) ** 2).sum(dim=-1)"
            },
            "This is a sum of squared differences. The divergence is the mean over q of log(q/p).",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (q - p).abs().sum(dim=-1)"
            },
            "This is a sum of absolute differences. The divergence is the mean over q of log(q/p).",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return -torch.special.xlogy(q, q).sum(dim=-1)"
            },
            "This is the entropy of q alone. The divergence is the cross-entropy, −Σ q log p, less this entropy.",
        ),
        slip(
            kl_discrete,
            {"(q, p):\n": "(q, p):\n    q = q.softmax(dim=-1)\n"},
            "You took the softmax of q. Both arguments are probabilities already: use them as they are.",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (torch.special.xlogy(q, q) - q * p).sum(dim=-1)"
            },
            "You used p where its logarithm belongs. PyTorch's kl_div, too, expects the logarithm of its first argument: Σ q (log q − log p).",
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p) + torch.where(q > 0, 0.0, p)).sum(dim=-1)"
            },
            "An outcome that q never uses adds p in your sum. Its term is 0 · log 0, which is 0.",
            loses=("hidden",),
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (q * (q / p).log()).sum(dim=-1)"
            },
            "An outcome that q never uses gives 0 · log 0, which is nan in floating point. Its term is 0: treat it separately, or use torch.special.xlogy.",
            loses=("hidden",),
        ),
        slip(
            kl_discrete,
            {
                "return (torch.special.xlogy(q, q) - torch.special.xlogy(q, p)).sum(dim=-1)": "return (q * (q / p).log()).sum(dim=-1).nan_to_num(0.0)"
            },
            "Where q has a zero, your result is 0. Only that outcome's term is 0: the others still add up.",
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
        slip(
            kl_gaussians,
            {"terms.sum(dim=-1)": "terms.prod(dim=-1)"},
            "You multiplied the coordinates' divergences. Densities of independent coordinates multiply, so their logarithms, and the divergences, add up.",
        ),
        slip(
            kl_gaussians,
            {"- 0.5": "- 1.0"},
            "You subtracted 1 where ½ belongs: with σ_q = σ_p the squared terms give ½, and KL(p ‖ p) must be 0.",
        ),
        slip(
            kl_gaussians,
            {"- 0.5": "+ 0.5"},
            "You added ½ where it belongs subtracted: with σ_q = σ_p the squared terms give ½, and KL(p ‖ p) must be 0.",
        ),
        slip(
            kl_gaussians,
            {"(scale_p / scale_q).log()": "(scale_q / scale_p).log()"},
            "The logarithm is upside down. A narrow q has little entropy, which makes the divergence larger: log(σ_p/σ_q).",
        ),
        slip(
            kl_gaussians,
            {
                "(scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5": "0.5 * (scale_p / scale_q).log() + (scale_q + (loc_q - loc_p) ** 2) / (2 * scale_p) - 0.5"
            },
            "You took the scales for variances throughout. They are standard deviations: log(σ_p/σ_q), and scale² in the other terms.",
        ),
        slip(
            kl_gaussians,
            {"(scale_p / scale_q).log()": "0.5 * (scale_p / scale_q).log()"},
            "Your logarithm is half of what it should be. With standard deviations it is log(σ_p/σ_q); the ½ goes with variances.",
        ),
        slip(
            kl_gaussians,
            {"(2 * scale_p**2)": "scale_p**2"},
            "The 2 in the denominator is missing: a Gaussian's exponent is (z − μ)² / (2 σ²).",
        ),
        slip(
            kl_gaussians,
            {"(2 * scale_p**2)": "(2 * scale_q**2)"},
            "You divided by the variance of q. The squared terms come from log p, so they are measured in units of p: 2 σ_p².",
        ),
        slip(
            kl_gaussians,
            {"(loc_q - loc_p) ** 2": "(loc_q - loc_p).abs()"},
            "The difference of the means has to be squared, as in a Gaussian's exponent.",
        ),
        slip(
            kl_gaussians,
            {
                "(scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5": "(scale_p / scale_q).log() + scale_q**2 + (loc_q - loc_p) ** 2 / (2 * scale_p**2) - 0.5"
            },
            "Only the means' term is divided in your formula. Both squares stand above 2 σ_p²: mind the brackets.",
        ),
        slip(
            kl_gaussians,
            {"(scale_q**2 + (loc": "(scale_q**2 - (loc"},
            "The means' term has the wrong sign. Whatever lies farther from p costs more: σ_q² + (μ_q − μ_p)².",
        ),
        slip(
            kl_gaussians,
            {
                "(scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5": "(scale_p / scale_q).log() + scale_q**2 / (2 * scale_p**2) - 0.5"
            },
            "The means are missing. A shifted q costs (μ_q − μ_p)² / (2 σ_p²).",
        ),
        slip(
            kl_gaussians,
            {"terms.sum(dim=-1)": "terms.sum(dim=-1) / math.log(2)"},
            "Your values are in bits. Here log is the natural logarithm and the unit is nats: leave out the division by log 2.",
        ),
        slip(
            kl_gaussians,
            {"terms.sum(dim=-1)": "-terms.sum(dim=-1)"},
            "The sign is turned: you returned −KL. A divergence is never negative.",
        ),
        slip(
            kl_gaussians,
            {"terms.sum(dim=-1)": "terms.sum().expand(len(loc_q))"},
            "Every example has the sum over all examples. In this course divergences are per example, shape (B,): sum over coordinates only.",
        ),
        slip(
            kl_gaussians,
            {"terms.sum(dim=-1)": "terms.sum(dim=-1).mean().expand(len(loc_q))"},
            "You averaged over the examples, too. In this course divergences are per example, shape (B,): sum over coordinates only.",
        ),
        slip(
            kl_gaussians,
            {
                "(scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5": "scale_p.log() + 0.5 * math.log(2 * math.pi) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2)"
            },
            "This is the cross-entropy. The divergence is its excess over the entropy of q, log σ_q + ½ log 2πe: take that off.",
        ),
        slip(
            kl_gaussians,
            {
                "(scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5": "(loc_q - loc_p) ** 2 + (scale_q - scale_p) ** 2"
            },
            "This is a squared distance of the parameters (Wasserstein's). The divergence compares densities, in units of σ_p.",
        ),
        slip(
            kl_gaussians,
            {
                "(scale_p / scale_q).log() + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5": "(scale_p / scale_q).log() + (loc_q - loc_p) ** 2 / (2 * scale_p**2)"
            },
            "This is log q − log p at the mean of q only. The divergence averages over all of q, which adds σ_q² / (2 σ_p²) − ½.",
        ),
        slip(
            kl_gaussians,
            {"(2 * scale_p**2)": "2 * scale_p**2"},
            "You divided by 2 and then multiplied by σ_p²: in a / 2 * b only the 2 is below. Put the denominator in brackets.",
            loses=("hidden",),
        ),
        slip(
            kl_gaussians,
            {"(2 * scale_p**2)": "(2 * scale_p)"},
            "You divided by 2 σ_p. In the exponent stands the variance: 2 σ_p².",
            loses=("hidden",),
        ),
        slip(
            kl_gaussians,
            {"(loc_q - loc_p)": "(loc_q + loc_p)"},
            "You added the means. What costs is their difference, μ_q − μ_p.",
            loses=("hidden",),
        ),
        slip(
            kl_gaussians,
            {"(2 * scale_p**2)": "(2 * scale_p) ** 2"},
            "You squared the 2 as well. The denominator is 2 σ_p²: the square belongs to σ_p only.",
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
        "visible": ({"K": 4, "size_q": 1.0, "size_p": 2.0}, {"K": 1, "size_q": 3.0, "size_p": 0.7}),
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
        slip(
            kl_full,
            {"- len(d)": "- 1"},
            "You subtracted 1. For q = p the trace is K, and the divergence must be 0: subtract K.",
        ),
        slip(
            kl_full,
            {"- len(d)": "+ len(d)"},
            "You added K. For q = p the trace is K, and the divergence must be 0: subtract it.",
        ),
        slip(
            kl_full,
            {
                "torch.trace(torch.linalg.solve(covariance_p, covariance_q))": "(torch.linalg.inv(covariance_p) * covariance_q).diagonal().sum()"
            },
            "You multiplied the matrices entry by entry before the trace. The trace is that of the matrix product Σ_p^-1 Σ_q (@).",
        ),
        slip(
            kl_full,
            {
                "torch.trace(torch.linalg.solve(covariance_p, covariance_q))": "torch.linalg.solve(covariance_p, covariance_q).sum()"
            },
            "You summed all entries of Σ_p^-1 Σ_q. A trace is the sum of the diagonal only.",
        ),
        slip(
            kl_full,
            {"torch.trace(torch.linalg.solve(covariance_p, covariance_q))": "torch.trace(covariance_q)"},
            "Your trace is that of Σ_q alone. The spread of q is measured in units of p: tr(Σ_p^-1 Σ_q).",
        ),
        slip(
            kl_full,
            {
                "torch.trace(torch.linalg.solve(covariance_p, covariance_q))": "torch.trace(torch.linalg.inv(covariance_p)) * torch.trace(covariance_q)"
            },
            "You multiplied two traces. The trace is that of the product of the matrices, tr(Σ_p^-1 Σ_q).",
        ),
        slip(
            kl_full,
            {"d @ torch.linalg.solve(covariance_p, d)": "d @ covariance_p @ d"},
            "You multiplied by Σ_p in the quadratic form. Distances are measured in units of the spread, so Σ_p stands there inverted.",
        ),
        slip(
            kl_full,
            {"d @ torch.linalg.solve(covariance_p, d)": "d @ d"},
            "Your distance of the means is the plain one. In the cross-entropy it is measured in units of p: d^T Σ_p^-1 d.",
        ),
        slip(
            kl_full,
            {"d @ torch.linalg.solve(covariance_p, d)": "(d @ torch.linalg.solve(covariance_p, d)).sqrt()"},
            "You took the root of the quadratic form. In the exponent of a Gaussian stands the distance squared.",
        ),
        slip(
            kl_full,
            {" + d @ torch.linalg.solve(covariance_p, d)": ""},
            "The means are missing. A shifted q costs ½ d^T Σ_p^-1 d, with d the difference of the means.",
        ),
        slip(
            kl_full,
            {
                "torch.trace(torch.linalg.solve(covariance_p, covariance_q))": "torch.trace((1 / covariance_p) @ covariance_q)",
                "d @ torch.linalg.solve(covariance_p, d)": "d @ (1 / covariance_p) @ d",
            },
            "1 / A is the reciprocal of each entry, which is the inverse of a matrix only if it is 1 × 1. Use torch.linalg.inv or torch.linalg.solve.",
        ),
        slip(
            kl_full,
            {"+ log_det)": "+ log_det / 2)"},
            "Your log-determinants are half of what they should be. From a Cholesky factor, log |Σ| = 2 Σ log L_ii; the ½ before the bracket is there already.",
        ),
        slip(
            kl_full,
            {"+ log_det)": "+ log_det) / len(d)"},
            "You divided by K. Asked for is the divergence of the whole distributions, not of one coordinate.",
        ),
        slip(
            kl_full,
            {"+ log_det)": "+ 2 * log_det)"},
            "Your log-determinants count twice. The ½ stands before them as before the other terms.",
        ),
        slip(
            kl_full,
            {
                "torch.trace(torch.linalg.solve(covariance_p, covariance_q))": "torch.trace(torch.linalg.solve(covariance_q, covariance_p))"
            },
            "Your trace has the inverse of the wrong matrix. What q spreads is measured in units of p: tr(Σ_p^-1 Σ_q).",
        ),
        slip(
            kl_full,
            {
                "0.5 * (trace - len(d) + d @ torch.linalg.solve(covariance_p, d) + log_det)": "0.5 * trace - len(d) + d @ torch.linalg.solve(covariance_p, d) + log_det"
            },
            "Only the trace is halved in your formula. The ½ stands before the whole bracket.",
        ),
        slip(
            kl_full,
            {
                "return 0.5 * (trace - len(d) + d @ torch.linalg.solve(covariance_p, d) + log_det)": "return 0.5 * (trace - len(d) + d @ torch.linalg.solve(covariance_p, d) + log_det) / math.log(2)"
            },
            "Your value is in bits. Here log is the natural logarithm and the unit is nats: leave out the division by log 2.",
        ),
        slip(
            kl_full,
            {"return 0.5": "return -0.5"},
            "The sign is turned: you returned −KL. A divergence is never negative.",
        ),
        slip(
            kl_full,
            {
                "(covariance_p, covariance_q))": "(covariance_p + 0.01 * torch.eye(len(loc_q), dtype=loc_q.dtype), covariance_q))",
                "d @ torch.linalg.solve(covariance_p, d)": "d @ torch.linalg.solve(covariance_p + 0.01 * torch.eye(len(loc_q), dtype=loc_q.dtype), d)",
            },
            "Something small is added to the diagonal of Σ_p before it is inverted. It shows in the result: both covariances can be inverted as they are.",
        ),
        slip(
            kl_full,
            {"d @ torch": "-d @ torch"},
            "The means' term has the wrong sign. Whatever lies farther from p costs more: + d^T Σ_p^-1 d.",
        ),
        slip(
            kl_full,
            {
                "torch.linalg.slogdet(covariance_p)[1] - torch.linalg.slogdet(covariance_q)[1]": "(torch.linalg.det(covariance_p) + 1e-8).log() - (torch.linalg.det(covariance_q) + 1e-8).log()"
            },
            "You kept log 0 away with a small number. A determinant is a product of K factors, far below that number, while its logarithm is an ordinary one: compute it directly (torch.linalg.slogdet).",
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
            # The draws lie so far out in p that its density is 0 in floating point.
            {"S": 7, "K": 1, "loc": 90.0, "scale_q": 1.5, "scale_p": 2.0},
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
        slip(
            kl_estimate,
            {"terms.std()": "terms.std(correction=0)"},
            "You divided the squared deviations by S. They are taken from the estimated mean: divide by S − 1 to make up for it.",
        ),
        slip(
            kl_estimate,
            {"math.sqrt(len(terms))": "math.sqrt(len(terms) - 1)"},
            "You divided by √(S − 1). The S − 1 belongs into the standard deviation (where torch.std has it); the mean of S terms has the error std / √S.",
        ),
        slip(
            kl_estimate,
            {"terms.std() / math": "2 * terms.std() / math"},
            "You gave two standard errors. They make an interval; asked for is one.",
        ),
        slip(
            kl_estimate,
            {"terms.std() / math": "z.std() / math"},
            "Your standard error is that of the draws z. The mean is that of the terms log q − log p: take their standard deviation.",
        ),
        slip(
            kl_estimate,
            {"terms.std() / math": "scale_q / math"},
            "You took the scale of q for the spread. The mean is that of the terms log q − log p: take their standard deviation.",
        ),
        slip(
            kl_estimate,
            {"terms.std() / math.sqrt(len(terms))": "terms.var() / math.sqrt(len(terms))"},
            "You divided the variance by √S. The standard error is the standard deviation divided by √S.",
        ),
        slip(
            kl_estimate,
            {
                "-0.5 * ((z - loc_q) / scale_q) ** 2": "-0.5 * (z - loc_q) ** 2 / scale_q",
                "-0.5 * ((z - loc_p) / scale_p) ** 2": "-0.5 * (z - loc_p) ** 2 / scale_p",
                "- math.log(scale_q)": "- 0.5 * math.log(scale_q)",
                "- math.log(scale_p)": "- 0.5 * math.log(scale_p)",
            },
            "You took the scales for variances. They are standard deviations: in the exponent stands scale², and the constant is −log scale.",
        ),
        slip(
            kl_estimate,
            {"-0.5 * ((z - loc_q)": "-1.0 * ((z - loc_q)", "-0.5 * ((z - loc_p)": "-1.0 * ((z - loc_p)"},
            "The ½ in the exponents is missing: log N(z) holds −(z − μ)² / (2 σ²).",
        ),
        slip(
            kl_estimate,
            {"terms = log_q - log_p\n": "terms = (log_p - log_q).exp() * (log_q - log_p)\n"},
            "You weighted the terms with p/q. That would make them draws from p; the divergence's mean is over q, where the draws come from: take the plain mean.",
        ),
        slip(
            kl_estimate,
            {"terms = log_q - log_p\n": "terms = (log_p - log_q).exp() * (log_p - log_q)\n"},
            "This estimates the other direction, KL(p ‖ q), by weights p/q. The draws come from q: take the plain mean of log q − log p.",
        ),
        slip(
            kl_estimate,
            {"terms.mean(),": "terms.sum(),"},
            "You summed the terms. The estimate is their mean: divide by S.",
        ),
        slip(
            kl_estimate,
            {"log_q - log_p\n": "(log_q - log_p).abs()\n"},
            "You took absolute values. Single terms may be negative; only their mean over q never is (but for chance).",
        ),
        slip(
            kl_estimate,
            {"log_q - log_p\n": "(log_q - log_p).clamp(min=0)\n"},
            "You cut negative terms off at 0. Single terms may be negative: only their mean over q never is (but for chance).",
        ),
        slip(
            kl_estimate,
            {"log_q - log_p\n": "(log_p - log_q).exp() - 1 + log_q - log_p\n"},
            "You added p/q − 1 to each term. That has the mean 0 and may lower the spread, but asked for is the plain mean of log q − log p.",
        ),
        slip(
            kl_estimate,
            {
                "terms.mean(), terms.std() / math.sqrt(len(terms))": "(log_q - log_p).exp().mean().log(), terms.std() / math.sqrt(len(terms))"
            },
            "Your estimate is the logarithm of the mean ratio. The divergence is the mean of the logarithm.",
        ),
        slip(
            kl_estimate,
            {
                "terms.mean(), terms.std() / math.sqrt(len(terms))": "math.log(scale_p / scale_q) + (scale_q**2 + (loc_q - loc_p) ** 2) / (2 * scale_p**2) - 0.5, terms.std() / math.sqrt(len(terms))"
            },
            "Your estimate is the closed form. Asked for is what these draws say: the mean of log q − log p over z.",
        ),
        slip(
            kl_estimate,
            {"terms.mean(),": "terms.median(),"},
            "Your estimate is the median of the terms. The divergence is an expectation: take the mean.",
        ),
        slip(
            kl_estimate,
            {"terms.mean(),": "terms.sum() / (len(terms) - 1),"},
            "You divided the sum by S − 1. That belongs to the variance; the mean divides by S.",
        ),
        slip(
            kl_estimate,
            {"(z - loc_p)": "(z - loc_q)"},
            "In log p you used the mean of q. Each density has its own parameters: log N(z | loc_p, scale_p²).",
        ),
        slip(
            kl_estimate,
            {"log_q - log_p\n": "(log_q - log_p) / math.log(2)\n"},
            "Your values are in bits. Here log is the natural logarithm and the unit is nats: leave out the division by log 2.",
        ),
        slip(
            kl_estimate,
            {"log_q = -0.5": "z = loc_q + scale_q * (z - z.mean()) / z.std()\n    log_q = -0.5"},
            "You made the draws have exactly the mean and the scale of q. They are random, and so is the estimate: use them as they are.",
        ),
        slip(
            kl_estimate,
            {
                "((z - loc_p) / scale_p) ** 2 - math.log(scale_p)": "((z - loc_p) / scale_q) ** 2 - math.log(scale_q)"
            },
            "In log p you used the scale of q. Each density has its own parameters; the visible ones have equal scales.",
            loses=("hidden",),
        ),
        slip(
            kl_estimate,
            {"- math.log(scale_q)": "+ math.log(scale_q)", "- math.log(scale_p)": "+ math.log(scale_p)"},
            "The logarithms of the scales have the wrong sign. A wide density is low: log N holds −log σ.",
            loses=("hidden",),
        ),
        slip(
            kl_estimate,
            {
                "- math.log(scale_q)": "- 0.5 * math.log(scale_q)",
                "- math.log(scale_p)": "- 0.5 * math.log(scale_p)",
            },
            "The logarithms of the scales are halved. The ½ goes with variances: with standard deviations it is −log σ.",
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
        slip(
            match_moments,
            {"(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "(weights * scales).sum()"},
            "Your scale is the mean of the components' scales. Variances add up, not scales, and the means lie apart as well: match the variance.",
        ),
        slip(
            match_moments,
            {
                "(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "(weights**2 * (scales**2 + (locs - loc) ** 2)).sum().sqrt()"
            },
            "You squared the weights, or divided by K after weighing. The weights add up to 1 and do the averaging: Σ w_k (σ_k² + (μ_k − μ)²).",
        ),
        slip(
            match_moments,
            {
                "(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "(weights**2 * scales**2).sum().sqrt()"
            },
            "This is the spread of a weighted sum of independent numbers. A mixture draws one component: Σ w_k (σ_k² + (μ_k − μ)²).",
        ),
        slip(
            match_moments,
            {
                "(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "(weights * (scales**2 + locs**2)).sum().sqrt()"
            },
            "You did not take the mean off: Σ w_k (σ_k² + μ_k²) is the second moment about 0. The variance is that less μ².",
        ),
        slip(
            match_moments,
            {"(weights * locs).sum()": "(weights * locs).mean()"},
            "You averaged where the weights do so already. They add up to 1: Σ w_k μ_k, without a division by K.",
        ),
        slip(
            match_moments,
            {"(locs - loc) ** 2": "(locs - loc).abs()"},
            "The distances between the means have to be squared: a variance is a mean of squares.",
        ),
        slip(
            match_moments,
            {
                "(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "(weights * scales**2).sum().sqrt() + (weights * (locs - loc) ** 2).sum().sqrt()"
            },
            "You added the roots. Within and between add up as variances; take the root of the sum.",
        ),
        slip(
            match_moments,
            {
                "(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "(weights * (scales**2 + (locs - loc) ** 2).sqrt()).sum()"
            },
            "You averaged roots. The mixture's variance is the mean of σ_k² + (μ_k − μ)²; the root comes last.",
        ),
        slip(
            match_moments,
            {
                "return loc, (weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "precision = weights / scales**2\n    return (precision * locs).sum() / precision.sum(), precision.sum().rsqrt()"
            },
            "You added up precisions, as in a product of Gaussians. A mixture adds up densities: its mean is Σ w_k μ_k.",
        ),
        slip(
            match_moments,
            {
                "return loc, (weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "loc = (weights / scales**2 * locs).sum() / (weights / scales**2).sum()\n    return loc, (weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()"
            },
            "You weighted the means by inverse variances. A wide component is as likely as its weight says: the mean is Σ w_k μ_k.",
        ),
        slip(
            match_moments,
            {
                "(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "(weights * (scales**2 - (locs - loc) ** 2)).sum().abs().sqrt()"
            },
            "You subtracted the spread between the means. It comes on top of the components' own: add it.",
        ),
        slip(
            match_moments,
            {"(locs - loc)": "(locs - locs[0])"},
            "You measured distances from the first component's mean. The variance is that around the common mean μ = Σ w_k μ_k.",
        ),
        slip(
            match_moments,
            {
                "(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "((weights * (scales**2 + (locs - loc) ** 2)).sum() / 2).sqrt()"
            },
            "You halved the sum of within and between. Both count in full: the variance is Σ w_k (σ_k² + (μ_k − μ)²).",
        ),
        slip(
            match_moments,
            {
                "(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "(weights * (locs - loc) ** 2).sum() + (weights * scales**2).sum().sqrt()"
            },
            "Only one part of your result is a root. The standard deviation is the root of the whole sum.",
        ),
        slip(
            match_moments,
            {
                "(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "((weights * scales**2).sum() + (locs - locs.mean()).square().mean()).sqrt()"
            },
            "The spread between the means is not weighted. Each (μ_k − μ)² counts by w_k, with μ the weighted mean.",
            loses=("hidden",),
        ),
        slip(
            match_moments,
            {
                "(weights * (scales": "(torch.softmax(weights, dim=0) * (scales",
                "(weights * locs)": "(torch.softmax(weights, dim=0) * locs)",
            },
            "You took the softmax of the weights. They are probabilities already, as the sum of 1 says.",
            loses=("hidden",),
        ),
        slip(
            match_moments,
            {
                "(weights * (scales**2 + (locs - loc) ** 2)).sum().sqrt()": "(scales**2 + (locs - loc) ** 2).mean().sqrt()"
            },
            "You left the weights out of the variance. The visible mixtures have equal ones; in general each component counts by its weight.",
            loses=("hidden",),
        ),
    ),
    alternatives=(match_second_moment, match_distribution, match_loops),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("divergences",)

EXERCISES = (ENTROPY, KL_DISCRETE, KL_GAUSSIANS, KL_FULL, ESTIMATE, MATCH)

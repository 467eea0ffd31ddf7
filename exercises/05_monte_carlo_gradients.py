"""Monte Carlo gradients: standard errors, score function, baselines, reparameterisation, discrete z, minibatches.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks. The draws are inputs, so that answers can be compared.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu_grader.authoring.slips import slip

# 1 ------------------------------------------------------------------------------------- an estimate and its error


def estimate_inputs(case, rng):
    """Values of K functions at the same few draws, so that S and S − 1 differ clearly."""
    spread = rng.standard_normal((case["S"], case["K"])) * 2 + rng.standard_normal(case["K"])
    return {"values": spread + case.get("level", 1.5)}


def monte_carlo_estimate(values):
    return values.mean(dim=0), values.std(dim=0) / math.sqrt(len(values))


def estimate_numpy(values):
    v = values.numpy()
    return np.average(v, axis=0), np.std(v, axis=0, ddof=1) / len(v) ** 0.5


def estimate_loops(values):
    means, errors = [], []
    for column in values.T.tolist():
        m = sum(column) / len(column)
        means.append(m)
        errors.append(math.sqrt(sum((v - m) ** 2 for v in column) / (len(column) - 1) / len(column)))
    return means, errors


def estimate_from_squares(values):
    S = len(values)
    mean = torch.einsum("sk->k", values) / S
    return mean, (((values - mean) ** 2).sum(dim=0) / (S * (S - 1))).sqrt()


def estimate_standard_deviation(values):
    return values.mean(dim=0), values.std(dim=0)


def estimate_without_root(values):
    return values.mean(dim=0), values.var(dim=0) / len(values)


def estimate_divided_by_count(values):
    return values.mean(dim=0), values.std(dim=0) / len(values)


def estimate_biased_variance(values):
    return values.mean(dim=0), values.std(dim=0, correction=0) / math.sqrt(len(values))


def estimate_over_functions(values):
    return values.mean(dim=1), values.std(dim=1, correction=0) / math.sqrt(values.shape[1])


ESTIMATE = Exercise(
    name="monte_carlo_estimate",
    outputs=(Output("mean", ("K",)), Output("standard_error", ("K",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=estimate_inputs,
    cases={
        "visible": ({"S": 8, "K": 2}, {"S": 5, "K": 1}),
        "hidden": ({"S": 6, "K": 3}, {"S": 12, "K": 1}, {"S": 4, "K": 5, "level": 300.0}),
    },
    reference=monte_carlo_estimate,
    wrong=(
        Wrong(
            estimate_standard_deviation,
            "You gave the standard deviation: how far one draw's value lies from the mean. The standard error is "
            "that of the average of S draws, smaller by √S.",
        ),
        Wrong(
            estimate_without_root,
            "You gave the variance of the average. The standard error is its square root, in the same unit as the "
            "values themselves.",
        ),
        Wrong(
            estimate_divided_by_count,
            "You divided the standard deviation by S. It is the variance of an average that falls as 1/S; its root, "
            "the error, falls as 1/√S only.",
        ),
        Wrong(
            estimate_biased_variance,
            "You divided the squared deviations by S. They are taken from the estimated mean, which lies in the "
            "middle of these very draws: divide by S − 1 to make up for it.",
        ),
        Wrong(
            estimate_over_functions,
            "You averaged over the K functions. Each column is a function of its own; the draws are the rows, so "
            "average over dim=0.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.mean(dim=0),": "values.sum(dim=0),"},
            "You summed the values. The estimate is their mean: divide by S.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.mean(dim=0),": "values.sum(dim=0) / (len(values) - 1),"},
            "You divided the sum by S − 1. That belongs to the variance; the mean divides by S.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.mean(dim=0),": "values.median(dim=0).values,"},
            "You took the median. An expectation is estimated by the mean of the draws' values.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.mean(dim=0),": "values.mean().expand(values.shape[1]),"},
            "Your mean is one number for all functions. Each column is a function of its own: average over the draws only (dim=0).",
        ),
        slip(
            monte_carlo_estimate,
            {"values.std(dim=0) / math": "values.std().expand(values.shape[1]) / math"},
            "Your spread is that of all functions together. Each column is a function of its own: dim=0.",
        ),
        slip(
            monte_carlo_estimate,
            {"math.sqrt(len(values))": "math.sqrt(len(values) - 1)"},
            "You divided by √(S − 1). The S − 1 belongs into the standard deviation (where torch.std has it); the mean of S draws has the error std / √S.",
        ),
        slip(
            monte_carlo_estimate,
            {"math.sqrt(len(values))": "math.sqrt(values.shape[1])"},
            "You divided by √K. The number that counts is that of the draws: √S.",
        ),
        slip(
            monte_carlo_estimate,
            {"math.sqrt(len(values))": "math.sqrt(values.numel())"},
            "You divided by the root of all entries' number. Each function has S draws: √S.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.std(dim=0) / math": "values.var(dim=0) / math"},
            "You divided the variance by √S. The standard error is the standard deviation divided by √S.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.std(dim=0) / math": "1.96 * values.std(dim=0) / math"},
            "You gave half of a 95 % interval, 1.96 standard errors. Asked for is one.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.std(dim=0) / math": "2 * values.std(dim=0) / math"},
            "You gave two standard errors. They make an interval; asked for is one.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.std(dim=0) / math.sqrt(len(values))": "values.std(dim=0) * math.sqrt(len(values))"},
            "You multiplied by √S. The mean of more draws is more certain: divide.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.std(dim=0) / math": "(values.square().mean(dim=0)).sqrt() / math"},
            "Your spread is measured from 0. Take the mean off before you square.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.std(dim=0) / math": "(values - values.mean(dim=0)).abs().mean(dim=0) / math"},
            "You averaged absolute deviations. The standard deviation is the root of the mean square.",
        ),
        slip(
            monte_carlo_estimate,
            {"values.std(dim=0) / math": "math.sqrt(2) * values.std(dim=0) / math"},
            "Your error is √2 too large: that is the error of a difference of two estimates.",
        ),
        slip(
            monte_carlo_estimate,
            {
                "return values.mean(dim=0), values.std(dim=0) / math.sqrt(len(values))": "return values.mean(dim=0), values.std(dim=0) / math.sqrt(len(values)) / values.mean(dim=0)"
            },
            "You divided the error by the mean. Asked for is the error itself, in the unit of the values.",
        ),
    ),
    alternatives=(estimate_numpy, estimate_loops, estimate_from_squares),
)

# 2 --------------------------------------------------------------------------------------------- the score function


def score_inputs(case, rng):
    """Draws from a normal far from standard, and values that have nothing to do with them."""
    S, K = case["S"], case["K"]
    mu, sigma = rng.standard_normal(K) + 1, rng.uniform(0.4, 0.8, K) * case["scale"]
    return {
        "f_values": rng.standard_normal(S) * 2 + 3,
        "z": mu + sigma * rng.standard_normal((S, K)),
        "mu": mu,
        "sigma": sigma,
    }


def score_gradients(f_values, z, mu, sigma):
    d = z - mu
    f = f_values[:, None]
    return f * d / sigma**2, f * (d**2 / sigma**3 - 1 / sigma)


def score_autograd(f_values, z, mu, sigma):
    mu = mu.expand(z.shape).clone().requires_grad_()
    sigma = sigma.expand(z.shape).clone().requires_grad_()
    log_q = torch.distributions.Normal(mu, sigma).log_prob(z).sum(dim=1)
    by_mu, by_sigma = torch.autograd.grad((f_values * log_q).sum(), (mu, sigma))
    return by_mu, by_sigma


def score_numpy(f_values, z, mu, sigma):
    f, z, mu, sigma = f_values.numpy(), z.numpy(), mu.numpy(), sigma.numpy()
    eps = (z - mu) / sigma
    return f[:, None] * eps / sigma, np.einsum("s,sk->sk", f, (eps**2 - 1) / sigma)


def score_loops(f_values, z, mu, sigma):
    by_mu, by_sigma = [], []
    for f, row in zip(f_values.tolist(), z.tolist(), strict=True):
        pairs = list(zip(row, mu.tolist(), sigma.tolist(), strict=True))
        by_mu.append([f * (v - m) / s**2 for v, m, s in pairs])
        by_sigma.append([f * ((v - m) ** 2 - s**2) / s**3 for v, m, s in pairs])
    return by_mu, by_sigma


def score_sigma_not_squared(f_values, z, mu, sigma):
    d, f = z - mu, f_values[:, None]
    return f * d / sigma, f * (d**2 / sigma**2 - 1 / sigma)


def score_sign_flipped(f_values, z, mu, sigma):
    d, f = mu - z, f_values[:, None]
    return f * d / sigma**2, f * (d**2 / sigma**3 - 1 / sigma)


def score_without_normalizer(f_values, z, mu, sigma):
    d, f = z - mu, f_values[:, None]
    return f * d / sigma**2, f * d**2 / sigma**3


def score_of_log_sigma(f_values, z, mu, sigma):
    d, f = z - mu, f_values[:, None]
    return f * d / sigma**2, f * (d**2 / sigma**2 - 1)


def score_averaged(f_values, z, mu, sigma):
    d, f = z - mu, f_values[:, None]
    return (f * d / sigma**2).mean(dim=0), (f * (d**2 / sigma**3 - 1 / sigma)).mean(dim=0)


def score_without_f(f_values, z, mu, sigma):
    d = z - mu
    return d / sigma**2, d**2 / sigma**3 - 1 / sigma


SCORE = Exercise(
    name="score_gradients",
    outputs=(Output("by_mu", ("S", "K")), Output("by_sigma", ("S", "K"))),
    points={"visible": 1, "hidden": 2},
    make_inputs=score_inputs,
    cases={
        "visible": ({"S": 6, "K": 2, "scale": 1.0}, {"S": 4, "K": 1, "scale": 2.0}),
        "hidden": (
            {"S": 5, "K": 3, "scale": 1.0},
            {"S": 7, "K": 1, "scale": 0.5},
            {"S": 3, "K": 4, "scale": 3.0},
            # A narrow q is where the estimator's variance is large, and where a σ kept from zero would hide it.
            {"S": 4, "K": 2, "scale": 1e-3},
        ),
    },
    reference=score_gradients,
    wrong=(
        Wrong(
            score_sigma_not_squared,
            "A power of σ is missing. log q holds −(z − μ)²/(2σ²): its derivative by μ has σ² below, and that by σ "
            "has σ³.",
        ),
        Wrong(
            score_sign_flipped,
            "The sign of the derivative by μ is wrong. Moving μ towards a draw z makes it more probable: for z > μ "
            "the score is positive.",
        ),
        Wrong(
            score_without_normalizer,
            "Your derivative by σ lacks the normaliser's part. log q also holds −log σ; without its −1/σ the score "
            "would not average to zero.",
        ),
        Wrong(
            score_of_log_sigma,
            "Your second output is the derivative by log σ. Here the parameter is σ itself: d/dσ = (1/σ) d/d log σ.",
        ),
        Wrong(
            score_averaged,
            "You averaged over the draws. In this course estimators give one gradient a draw, (S, K), so that their "
            "scatter can be seen; who wants the estimate averages later.",
        ),
        Wrong(
            score_without_f,
            "You gave the score alone. Each draw's score is weighted by that draw's value of f, which says whether "
            "to move towards it.",
        ),
        slip(
            score_gradients,
            {"f * d / sigma**2": "f * d / sigma"},
            "Your derivative by μ has σ where σ² belongs: −(z − μ)² / (2σ²) has the derivative (z − μ) / σ².",
        ),
        slip(
            score_gradients,
            {"f * d / sigma**2": "f * d"},
            "Your derivative by μ lacks the division by σ²: −(z − μ)² / (2σ²) has the derivative (z − μ) / σ².",
        ),
        slip(
            score_gradients,
            {"f * d / sigma**2": "f * d / (2 * sigma**2)"},
            "Your derivative by μ has a 2 too many: the 2 of the square and that of 2σ² cancel.",
        ),
        slip(
            score_gradients,
            {"f * d / sigma**2": "2 * f * d / sigma**2"},
            "Your derivative by μ has a 2 too many: the 2 of the square and that of 2σ² cancel, (z − μ) / σ².",
        ),
        slip(
            score_gradients,
            {"d**2 / sigma**3 - 1 / sigma": "d**2 / sigma**2 - 1 / sigma"},
            "Your derivative by σ has σ² where σ³ belongs: 1/σ² has the derivative −2/σ³.",
        ),
        slip(
            score_gradients,
            {"d**2 / sigma**3 - 1 / sigma": "d**2 / sigma**3 + 1 / sigma"},
            "The normaliser's part has the wrong sign: log q holds −log σ, whose derivative is −1/σ.",
        ),
        slip(
            score_gradients,
            {"d**2 / sigma**3 - 1 / sigma": "1 / sigma - d**2 / sigma**3"},
            "The sign of the derivative by σ is wrong: a wider q makes far draws more probable, so far from μ it is positive.",
        ),
        slip(
            score_gradients,
            {"d**2 / sigma**3 - 1 / sigma": "-(d**2) / sigma**3 - 1 / sigma"},
            "The square's part has the wrong sign: −(z − μ)² / (2σ²) rises with σ, so its derivative is +(z − μ)² / σ³.",
        ),
        slip(
            score_gradients,
            {"d**2 / sigma**3 - 1 / sigma": "d**2 / (2 * sigma**3) - 1 / sigma"},
            "Your derivative by σ has half of the square's part: the 2 of 2σ² and that of the power −2 cancel.",
        ),
        slip(
            score_gradients,
            {"d**2 / sigma**3 - 1 / sigma": "2 * d**2 / sigma**3 - 1 / sigma"},
            "Your derivative by σ has twice the square's part: the 2 of 2σ² and that of the power −2 cancel.",
        ),
        slip(
            score_gradients,
            {"d**2 / sigma**3 - 1 / sigma": "d**2 / sigma**3 - 1"},
            "Your derivative by σ has −1 where −1/σ belongs: log q holds −log σ.",
        ),
        slip(
            score_gradients,
            {"d**2 / sigma**3 - 1 / sigma": "d / sigma**3 - 1 / sigma"},
            "In the derivative by σ the deviation has to be squared: (z − μ)² / σ³.",
        ),
        slip(
            score_gradients,
            {"d**2 / sigma**3 - 1 / sigma": "d**2 / sigma**4 - 1 / sigma**2"},
            "Your second output is divided by σ once too often. By σ it is (z − μ)²/σ³ − 1/σ.",
        ),
        slip(
            score_gradients,
            {"d**2 / sigma**3 - 1 / sigma": "(d**2 / sigma**4 - 1 / sigma**2) / 2"},
            "Your second output is the derivative by the variance σ². Here the parameter is σ itself: there is a factor 2σ more.",
        ),
        slip(
            score_gradients,
            {"d = z - mu\n": "d = z\n"},
            "You did not take μ off: the score is made of deviations, z − μ.",
        ),
        slip(
            score_gradients,
            {"f = f_values[:, None]": "f = (f_values - f_values.mean())[:, None]"},
            "You took a baseline off the values. It lowers the scatter, but asked for is each draw's plain contribution, f(z) times the score.",
        ),
        slip(
            score_gradients,
            {
                "return f * d / sigma**2, f * (d**2 / sigma**3 - 1 / sigma)": "return f * d / sigma**2 / len(z), f * (d**2 / sigma**3 - 1 / sigma) / len(z)"
            },
            "You divided by S. Return each draw's contribution as it is; who wants the estimate averages later.",
        ),
        slip(
            score_gradients,
            {
                "return f * d / sigma**2, f * (d**2 / sigma**3 - 1 / sigma)": "return (f * d / sigma**2).mean(dim=0).expand(z.shape), (f * (d**2 / sigma**3 - 1 / sigma)).mean(dim=0).expand(z.shape)"
            },
            "Every draw has the average of all. Return each draw's own contribution, so that their scatter can be seen.",
        ),
        slip(
            score_gradients,
            {
                "return f * d / sigma**2, f * (d**2 / sigma**3 - 1 / sigma)": "return (f * d / sigma**2).sum(dim=1, keepdim=True).expand(z.shape), (f * (d**2 / sigma**3 - 1 / sigma)).sum(dim=1, keepdim=True).expand(z.shape)"
            },
            "You summed over the entries. Each entry has a mean and a scale of its own, and so a derivative of its own.",
        ),
        slip(
            score_gradients,
            {
                "return f * d / sigma**2, f * (d**2 / sigma**3 - 1 / sigma)": "return -f * d / sigma**2, -f * (d**2 / sigma**3 - 1 / sigma)"
            },
            "Both signs are turned: this is the gradient of −E[f]. Asked for is that of E[f].",
        ),
        slip(
            score_gradients,
            {"d = z - mu\n": "d = z - z.mean(dim=0)\n"},
            "You took off the mean of the draws. The score is made of deviations from the parameter, z − μ.",
        ),
    ),
    alternatives=(score_autograd, score_numpy, score_loops),
)

# 3 ------------------------------------------------------------------------------------------------ leave one out


def baseline_inputs(case, rng):
    """Few draws, whose mean is far from zero."""
    return {"values": rng.standard_normal((case["S"], case["K"])) + 4 * rng.standard_normal(case["K"]) + 5}


def leave_one_out(values):
    S = len(values)
    return values - (values.sum(dim=0) - values) / (S - 1)


def baseline_scaled(values):
    S = len(values)
    return (values - values.mean(dim=0)) * S / (S - 1)


def baseline_loops(values):
    rows = []
    for s in range(len(values)):
        others = torch.cat([values[:s], values[s + 1 :]])
        rows.append(values[s] - others.mean(dim=0))
    return torch.stack(rows)


def baseline_matrix(values):
    v = values.numpy()
    S = len(v)
    return (np.eye(S) - (np.ones((S, S)) - np.eye(S)) / (S - 1)) @ v


def baseline_with_own_value(values):
    return values - values.mean(dim=0)


def baseline_divided_by_all(values):
    return values - (values.sum(dim=0) - values) / len(values)


def baseline_only(values):
    return (values.sum(dim=0) - values) / (len(values) - 1)


def baseline_of_the_next_draw(values):
    return values - values.roll(-1, dims=0)


def baseline_one_for_all(values):
    S = len(values)
    return values - (values.sum() - values) / (values.numel() - 1) if S > 1 else values


BASELINE = Exercise(
    name="leave_one_out",
    outputs=(Output("centred", ("S", "K")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=baseline_inputs,
    cases={
        "visible": ({"S": 4, "K": 2}, {"S": 3, "K": 1}),
        "hidden": ({"S": 5, "K": 3}, {"S": 6, "K": 1}, {"S": 3, "K": 4}),
    },
    reference=leave_one_out,
    wrong=(
        Wrong(
            baseline_with_own_value,
            "Your baseline contains the draw's own value. It then depends on the draw it is used for, and the "
            "estimate shrinks to (S − 1)/S of the gradient: leave that value out.",
        ),
        Wrong(
            baseline_divided_by_all,
            "You divided by S, but only S − 1 values are left when one is taken out.",
        ),
        Wrong(
            baseline_only,
            "You gave the baseline itself. Asked for is what is left of the values when it is taken off.",
        ),
        Wrong(
            baseline_of_the_next_draw,
            "You took a single other draw as the baseline. That is unbiased, but noisy: average over all the others.",
        ),
        Wrong(
            baseline_one_for_all,
            "You mixed the K columns. They are different problems, each with a level of its own: average over the "
            "other draws of the same column.",
            loses=("visible", "hidden"),
        ),
        slip(
            leave_one_out,
            {"values - (values.sum(dim=0) - values) / (S - 1)": "values - values.sum(dim=0) / (S - 1)"},
            "Your baseline divides by S − 1, but its sum still holds the draw's own value: take that out.",
        ),
        slip(
            leave_one_out,
            {"values - (values.sum(dim=0) - values) / (S - 1)": "values - values.sum(dim=0)"},
            "You took the sum off. The baseline is the mean of the other draws.",
        ),
        slip(
            leave_one_out,
            {"values - (values.sum(dim=0) - values) / (S - 1)": "values - (values.sum(dim=0) - values)"},
            "You took the sum of the others off. The baseline is their mean: divide by S − 1.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "(values.sum(dim=0) - values) / (S - 1) - values"
            },
            "The sign is turned: what is asked for is the value less the baseline, f − b.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "values + (values.sum(dim=0) - values) / (S - 1)"
            },
            "You added the baseline. It is taken off: f − b.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "values - values.mean(dim=0, keepdim=True).mean()"
            },
            "You took one number off for all columns. They are different problems: average over the other draws of the same column.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "(values - values.mean(dim=0)) / values.std(dim=0)"
            },
            "You standardised the values. Asked for is only the difference from the mean of the other draws.",
        ),
        slip(
            leave_one_out,
            {"values - (values.sum(dim=0) - values) / (S - 1)": "values - values.median(dim=0).values"},
            "You took a median off. The baseline is the mean of the other draws.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "values - (values.cumsum(dim=0) - values) / torch.arange(S).clamp(min=1)[:, None]"
            },
            "Your baseline is the mean of the draws before. It is that of all others, those after it too.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "(values - values.mean(dim=0)) * (S - 1) / S"
            },
            "Your factor is upside down. From the mean of all draws to that of the others, the difference grows by S / (S − 1).",
        ),
        slip(
            leave_one_out,
            {"values - (values.sum(dim=0) - values) / (S - 1)": "values - values.roll(1, dims=0)"},
            "You took the draw before as the baseline. That is unbiased, but noisy: average over all the others.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "values - (values.sum(dim=0) - values) / (S + 1)"
            },
            "You divided by S + 1. Without the draw itself there are S − 1 values.",
        ),
        slip(
            leave_one_out,
            {"values - (values.sum(dim=0) - values) / (S - 1)": "values - values[0]"},
            "You took the first draw off. The baseline is the mean of the other draws.",
        ),
        slip(
            leave_one_out,
            {"values - (values.sum(dim=0) - values) / (S - 1)": "values - values.min(dim=0).values"},
            "You took the smallest value off. The baseline is the mean of the other draws.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "values - (values.sum(dim=1, keepdim=True) - values) / max(values.shape[1] - 1, 1)"
            },
            "You averaged over the columns. They are different problems; the draws are the rows: average over the others along dim=0.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "(values - (values.sum(dim=0) - values) / (S - 1)) / values.std(dim=0)"
            },
            "You divided by the standard deviation as well. Asked for is only the value less the mean of the other draws.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "values - (values.sum(dim=0) - 2 * values) / (S - 1)"
            },
            "You took the draw's own value out of the sum twice. Once is enough: the sum of the others.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "values - (values.sum(dim=0) - values / (S - 1))"
            },
            "Only the draw's own value is divided by S − 1 in your baseline. The whole difference is: mind the brackets.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "values - (values.mean(dim=0) - values / (S - 1))"
            },
            "You took value / (S − 1) off the mean of all. The mean of the others is (sum − value) / (S − 1): mind the brackets.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "values - (values.sum(dim=0) - values[0]) / (S - 1)"
            },
            "You left the first draw out for all. Each draw's baseline leaves out that draw itself.",
        ),
        slip(
            leave_one_out,
            {
                "values - (values.sum(dim=0) - values) / (S - 1)": "values - (values.sum(dim=0) - values.roll(-1, dims=0)) / (S - 1)"
            },
            "You left out the next draw. Each draw's baseline leaves out that draw itself.",
        ),
    ),
    alternatives=(baseline_scaled, baseline_loops, baseline_matrix),
)

# 4 --------------------------------------------------------------------------------------------- reparameterisation


def path_inputs(case, rng):
    """Noise, an encoder's output for one example, and a linear decoder."""
    S, K, D = case["S"], case["K"], case["D"]
    return {
        "eps": rng.standard_normal((S, K)),
        "mu": rng.standard_normal(K) + 1,
        "log_sigma": case.get("wide", 1.0) * rng.uniform(0.3, 0.9, K) * np.where(np.arange(K) % 2, 1.0, -1.0),
        "A": rng.standard_normal((D, K)),
        "x": rng.standard_normal(D) * 2 + 1,
    }


def path_gradients(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    slope = (x - z @ A.T) @ A
    return z, slope, slope * sigma * eps


def path_autograd(eps, mu, log_sigma, A, x):
    mu = mu.expand(eps.shape).clone().requires_grad_()
    log_sigma = log_sigma.expand(eps.shape).clone().requires_grad_()
    z = mu + log_sigma.exp() * eps
    f = -0.5 * ((x - z @ A.T) ** 2).sum(dim=1)
    by_mu, by_log_sigma = torch.autograd.grad(f.sum(), (mu, log_sigma))
    return z.detach(), by_mu, by_log_sigma


def path_numpy(eps, mu, log_sigma, A, x):
    eps, mu, log_sigma, A, x = (value.numpy() for value in (eps, mu, log_sigma, A, x))
    z = mu[None] + np.exp(log_sigma)[None] * eps
    slope = np.einsum("dk,sd->sk", A, x[None] - np.einsum("dk,sk->sd", A, z))
    return z, slope, slope * (z - mu)


def path_draw_by_draw(eps, mu, log_sigma, A, x):
    draws, first, second = [], [], []
    for row in eps:
        motion = torch.exp(log_sigma) * row
        slope = A.T @ x - A.T @ A @ (mu + motion)
        draws.append(mu + motion)
        first.append(slope)
        second.append(slope * motion)
    return torch.stack(draws), torch.stack(first), torch.stack(second)


def path_log_sigma_as_sigma(eps, mu, log_sigma, A, x):
    z = mu + log_sigma * eps
    slope = (x - z @ A.T) @ A
    return z, slope, slope * eps


def path_log_variance(eps, mu, log_sigma, A, x):
    sigma = (log_sigma / 2).exp()
    z = mu + sigma * eps
    slope = (x - z @ A.T) @ A
    return z, slope, slope * sigma * eps / 2


def path_variance_for_scale(eps, mu, log_sigma, A, x):
    variance = (2 * log_sigma).exp()
    z = mu + variance * eps
    slope = (x - z @ A.T) @ A
    return z, slope, 2 * slope * variance * eps


def path_by_sigma(eps, mu, log_sigma, A, x):
    z = mu + log_sigma.exp() * eps
    slope = (x - z @ A.T) @ A
    return z, slope, slope * eps


def path_noise_forgotten(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    slope = (x - z @ A.T) @ A
    return z, slope, slope * sigma


def path_downhill(eps, mu, log_sigma, A, x):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    slope = (z @ A.T - x) @ A
    return z, slope, slope * sigma * eps


PATH = Exercise(
    name="path_gradients",
    outputs=(Output("z", ("S", "K")), Output("by_mu", ("S", "K")), Output("by_log_sigma", ("S", "K"))),
    points={"visible": 1, "hidden": 2},
    make_inputs=path_inputs,
    cases={
        "visible": ({"S": 5, "K": 2, "D": 3}, {"S": 4, "K": 1, "D": 2}),
        "hidden": ({"S": 6, "K": 3, "D": 5, "wide": 3.0}, {"S": 3, "K": 1, "D": 4}, {"S": 4, "K": 4, "D": 2}),
    },
    reference=path_gradients,
    wrong=(
        Wrong(
            path_log_sigma_as_sigma,
            "You used log σ as if it were σ. An encoder gives log σ because it may be any number; the standard "
            "deviation is its exponential.",
        ),
        Wrong(
            path_log_variance,
            "You halved the exponent, which is right for an encoder that gives log σ². This one gives log σ: read "
            "what a network's output stands for before using it.",
        ),
        Wrong(
            path_variance_for_scale,
            "You scaled the noise by the variance. z = μ + σ ε: noise of standard deviation 1 becomes noise of "
            "standard deviation σ.",
        ),
        Wrong(
            path_by_sigma,
            "Your last output is the derivative by σ. By log σ there is one more factor: σ = exp(log σ), so dσ/d log "
            "σ = σ.",
        ),
        Wrong(
            path_noise_forgotten,
            "The derivative of z by log σ is σ ε, not σ: a draw moves away from the mean on the side where it lies.",
        ),
        Wrong(
            path_downhill,
            "Your gradients point downhill. f = −½ ‖x − A z‖² has the gradient +A^T (x − A z): towards codes that "
            "explain x better.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "slope * z"},
            "You multiplied by z. The derivative of z by log σ is its deviation from the mean alone, σ ε = z − μ.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "slope"},
            "Your last output is the gradient by z. By log σ the chain rule adds ∂z/∂log σ = σ ε.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "slope * eps / sigma"},
            "You divided by σ. dσ/d log σ = σ, so there is a factor σ: ∂z/∂log σ = σ ε.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "slope * sigma**2 * eps"},
            "Your last output has a factor σ too many: ∂z/∂log σ = σ ε.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "2 * slope * sigma * eps"},
            "Your last output is twice too large: ∂z/∂log σ = σ ε.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "0.5 * slope * sigma * eps"},
            "Your last output is half of what it should be. That goes with log σ²; by log σ it is ∂z/∂log σ = σ ε.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "slope * log_sigma * eps"},
            "In the last output stands log σ where σ belongs: ∂z/∂log σ = σ ε.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "-slope * sigma * eps"},
            "The last output has the wrong sign: its slope is that of by_mu, times σ ε.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "slope * sigma * eps + 1"},
            "You added the gradient of the entropy, 1. Here f is the log-likelihood alone.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "slope * sigma * eps.abs()"},
            "You took ε without its sign. A draw below the mean moves down as σ grows.",
        ),
        slip(
            path_gradients,
            {"(x - z @ A.T) @ A": "2 * (x - z @ A.T) @ A"},
            "Your gradient is twice too large: the ½ before the square cancels the 2.",
        ),
        slip(
            path_gradients,
            {"(x - z @ A.T) @ A": "0.5 * (x - z @ A.T) @ A"},
            "Your gradient is half of what it should be: the square's 2 cancels the ½.",
        ),
        slip(
            path_gradients,
            {"(x - z @ A.T) @ A": "x @ A - z"},
            "Your gradient lacks A^T A: from x − A z follows A^T x − A^T A z.",
        ),
        slip(
            path_gradients,
            {"(x - z @ A.T) @ A": "(x - mu @ A.T) @ A + 0 * z"},
            "Your gradient is that at the mean. Each draw has its own: put z, not μ, into A^T (x − A z).",
        ),
        slip(
            path_gradients,
            {"(x - z @ A.T) @ A": "x @ A + 0 * z"},
            "A z is missing from your gradient: it is A^T (x − A z).",
        ),
        slip(
            path_gradients,
            {"(x - z @ A.T) @ A": "-z @ A.T @ A"},
            "x is missing from your gradient: it is A^T (x − A z).",
        ),
        slip(
            path_gradients,
            {"return z, slope, slope": "return z, slope.mean(dim=0).expand(z.shape), slope"},
            "You averaged by_mu over the draws. Return each draw's own gradient.",
        ),
        slip(
            path_gradients,
            {
                "return z, slope, slope * sigma * eps": "return z, slope.mean(dim=0).expand(z.shape), (slope * sigma * eps).mean(dim=0).expand(z.shape)"
            },
            "You averaged the gradients over the draws. Return each draw's own.",
        ),
        slip(
            path_gradients,
            {"return z, slope, slope * sigma * eps": "return z, slope - z, (slope - z) * sigma * eps"},
            "You added the gradient of the log-prior, −z. Here f is the log-likelihood alone.",
        ),
        slip(
            path_gradients,
            {"z = mu + sigma * eps": "z = mu - sigma * eps"},
            "The sign of the noise is turned: z = μ + σ ε.",
        ),
        slip(
            path_gradients,
            {"z = mu + sigma * eps": "z = mu + eps"},
            "σ is missing from the draw: z = μ + σ ε.",
        ),
        slip(
            path_gradients,
            {"log_sigma.exp()": "torch.nn.functional.softplus(log_sigma)"},
            "You took the softplus. The encoder gives log σ, so σ is its exponential.",
        ),
        slip(
            path_gradients,
            {"slope * sigma * eps": "slope * sigma * eps**2"},
            "You squared ε in the last output: ∂z/∂log σ = σ ε.",
        ),
        slip(
            path_gradients,
            {"return z, slope, slope": "return z, slope * sigma, slope"},
            "You multiplied by σ in by_mu. ∂z/∂μ = 1: by_mu is the gradient by z itself.",
        ),
        slip(
            path_gradients,
            {"z = mu + sigma * eps": "z = sigma * eps + 0 * mu"},
            "μ is missing from the draw: z = μ + σ ε.",
        ),
        slip(
            path_gradients,
            {"(x - z @ A.T) @ A": "(x - z @ A.T) @ A / len(x)"},
            "You divided by the number of features D. f is half of a sum of squares, not of a mean.",
        ),
        slip(
            path_gradients,
            {"(x - z @ A.T) @ A": "(x - z @ A.T) @ A / len(eps)"},
            "You divided by the number of draws. Return each draw's own gradient.",
        ),
    ),
    alternatives=(path_autograd, path_numpy, path_draw_by_draw),
)

# 5 ------------------------------------------------------------------------------------------------ measure-valued


def pair_inputs(case, rng):
    """Uniform numbers away from 1 and, where students can see, from 0; a scale far from 1."""
    S, K = case["S"], case["K"]
    u = rng.uniform(0.05, 0.95, (S, K))
    return {
        "u": np.concatenate([case.get("rare", 1.0) * u[:1], u[1:]]),
        "mu": rng.standard_normal(K) + 1,
        "sigma": rng.uniform(1.5, 3.0, K),
    }


def measure_valued_pair(u, mu, sigma):
    w = torch.sqrt(-2 * torch.log(u))
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


def pair_from_quantiles(u, mu, sigma):
    from scipy.stats import weibull_min

    w = weibull_min(2, scale=math.sqrt(2)).isf(u.numpy())
    mu, sigma = mu.numpy(), sigma.numpy()
    return mu + sigma * w, mu - sigma * w, (2 * np.pi * sigma**2) ** -0.5


def pair_from_density(u, mu, sigma):
    w = (2 * (1 / u).log()).pow(0.5)
    at_mean = torch.distributions.Normal(mu, sigma).log_prob(mu).exp()
    plus = torch.stack([mu + sigma * row for row in w])
    return plus, 2 * mu - plus, at_mean


def pair_loops(u, mu, sigma):
    plus, minus = [], []
    for row in u.tolist():
        w = [math.sqrt(-2 * math.log(v)) for v in row]
        plus.append([m + s * v for m, s, v in zip(mu.tolist(), sigma.tolist(), w, strict=True)])
        minus.append([m - s * v for m, s, v in zip(mu.tolist(), sigma.tolist(), w, strict=True)])
    return plus, minus, [1 / math.sqrt(2 * math.pi) / s for s in sigma.tolist()]


def pair_scale_one(u, mu, sigma):
    w = torch.sqrt(-torch.log(u))
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


def pair_without_root(u, mu, sigma):
    w = -2 * torch.log(u)
    return mu + sigma * w, mu - sigma * w, 1 / (sigma * math.sqrt(2 * math.pi))


def pair_not_scaled(u, mu, sigma):
    w = torch.sqrt(-2 * torch.log(u))
    return mu + w, mu - w, 1 / (sigma * math.sqrt(2 * math.pi))


def pair_constant_without_sigma(u, mu, sigma):
    w = torch.sqrt(-2 * torch.log(u))
    return mu + sigma * w, mu - sigma * w, torch.full_like(sigma, 1 / math.sqrt(2 * math.pi))


def pair_apart(u, mu, sigma):
    w, other = torch.sqrt(-2 * torch.log(u)), torch.sqrt(-2 * torch.log(1 - u))
    return mu + sigma * w, mu - sigma * other, 1 / (sigma * math.sqrt(2 * math.pi))


PAIR = Exercise(
    name="measure_valued_pair",
    outputs=(Output("z_plus", ("S", "K")), Output("z_minus", ("S", "K")), Output("constant", ("K",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=pair_inputs,
    cases={
        "visible": ({"S": 4, "K": 2}, {"S": 5, "K": 1}),
        "hidden": ({"S": 6, "K": 3, "rare": 1e-6}, {"S": 3, "K": 1}, {"S": 2, "K": 5}),
    },
    reference=measure_valued_pair,
    wrong=(
        Wrong(
            pair_scale_one,
            "Your W has the scale 1. Its density is w exp(−w²/2), so P(W > w) = exp(−w²/2): solve u = exp(−w²/2), "
            "with the 2.",
        ),
        Wrong(
            pair_without_root,
            "You gave W². From u = exp(−w²/2) follows w² = −2 log u; take the root.",
        ),
        Wrong(
            pair_not_scaled,
            "W counts standard deviations from the mean. Multiply it by σ before you add it to μ.",
        ),
        Wrong(
            pair_constant_without_sigma,
            "Your constant lacks σ. The derivative of a density of width σ has height in proportion to 1/σ²; one of "
            "these factors belongs to the densities of the pair, the other to the constant.",
        ),
        Wrong(
            pair_apart,
            "Your two draws have noise of their own. The pair asked for is coupled: the same W on both sides of the "
            "mean.",
        ),
        slip(
            measure_valued_pair,
            {"torch.sqrt(-2 * torch.log(u))": "torch.sqrt(-2 * torch.log(1 - u))"},
            "You solved 1 − u = exp(−W²/2). That has the same distribution, but asked for is u = exp(−W²/2): W = √(−2 log u).",
        ),
        slip(
            measure_valued_pair,
            {"torch.sqrt(-2 * torch.log(u))": "torch.special.ndtri(u)"},
            "Your W is normal. It has the density w exp(−w²/2) for w > 0: solve u = exp(−W²/2).",
        ),
        slip(
            measure_valued_pair,
            {"torch.sqrt(-2 * torch.log(u))": "torch.special.ndtri(u).abs()"},
            "Your W is half of a normal. Its density is w exp(−w²/2): solve u = exp(−W²/2).",
        ),
        slip(
            measure_valued_pair,
            {"torch.sqrt(-2 * torch.log(u))": "torch.exp(-(u**2) / 2)"},
            "You put u where W stands. The equation u = exp(−W²/2) has to be solved for W.",
        ),
        slip(
            measure_valued_pair,
            {"torch.sqrt(-2 * torch.log(u))": "torch.sqrt(-torch.log(u) / 2)"},
            "You divided by 2 where it multiplies: from u = exp(−W²/2) follows W² = −2 log u.",
        ),
        slip(
            measure_valued_pair,
            {"torch.sqrt(-2 * torch.log(u))": "torch.sqrt(-2 * torch.log2(u))"},
            "You took log₂. exp is undone by the natural logarithm.",
        ),
        slip(
            measure_valued_pair,
            {"torch.sqrt(-2 * torch.log(u))": "torch.sqrt(-2 * torch.log10(u))"},
            "You took log₁₀. exp is undone by the natural logarithm.",
        ),
        slip(
            measure_valued_pair,
            {"1 / (sigma * math.sqrt(2 * math.pi))": "1 / (sigma**2 * math.sqrt(2 * math.pi))"},
            "Your constant has σ² where σ belongs: c = 1 / (σ √(2π)).",
        ),
        slip(
            measure_valued_pair,
            {"1 / (sigma * math.sqrt(2 * math.pi))": "1 / (sigma * 2 * math.pi)"},
            "The root is missing from 2π in your constant: c = 1 / (σ √(2π)).",
        ),
        slip(
            measure_valued_pair,
            {"1 / (sigma * math.sqrt(2 * math.pi))": "1 / (sigma * math.sqrt(math.pi))"},
            "Your constant lacks the 2: c = 1 / (σ √(2π)).",
        ),
        slip(
            measure_valued_pair,
            {"1 / (sigma * math.sqrt(2 * math.pi))": "sigma / math.sqrt(2 * math.pi)"},
            "σ stands above where it belongs below: c = 1 / (σ √(2π)).",
        ),
        slip(
            measure_valued_pair,
            {"1 / (sigma * math.sqrt(2 * math.pi))": "sigma * math.sqrt(2 * math.pi)"},
            "Your constant is upside down: c = 1 / (σ √(2π)).",
        ),
        slip(
            measure_valued_pair,
            {"1 / (sigma * math.sqrt(2 * math.pi))": "1 / sigma"},
            "Your constant lacks √(2π): c = 1 / (σ √(2π)).",
        ),
        slip(
            measure_valued_pair,
            {"mu + sigma * w, mu - sigma * w": "mu + sigma**2 * w, mu - sigma**2 * w"},
            "You scaled W by the variance. It counts standard deviations: z = μ ± σ W.",
        ),
        slip(
            measure_valued_pair,
            {"mu + sigma * w, mu - sigma * w": "mu + sigma.sqrt() * w, mu - sigma.sqrt() * w"},
            "You scaled W by the root of σ. It counts standard deviations: z = μ ± σ W.",
        ),
        slip(
            measure_valued_pair,
            {"mu + sigma * w, mu - sigma * w": "mu - sigma * w, mu + sigma * w"},
            "A draw lies on the wrong side: z⁺ = μ + σ W is above the mean, z⁻ = μ − σ W below.",
        ),
        slip(
            measure_valued_pair,
            {"mu + sigma * w, mu - sigma * w": "sigma * w, -sigma * w"},
            "The mean is missing: the pair lies on both sides of it, z = μ ± σ W.",
        ),
        slip(
            measure_valued_pair,
            {"mu + sigma * w, mu - sigma * w": "mu + sigma * w, -(mu + sigma * w)"},
            "z⁻ is mirrored at 0. It is mirrored at the mean: μ − σ W.",
        ),
        slip(
            measure_valued_pair,
            {"mu + sigma * w, mu - sigma * w": "(mu + w) * sigma, (mu - w) * sigma"},
            "You scaled the mean as well. Only W is multiplied by σ: z = μ ± σ W.",
        ),
        slip(
            measure_valued_pair,
            {"1 / (sigma * math.sqrt(2 * math.pi))": "1 / sigma * math.sqrt(2 * math.pi)"},
            "You divided by σ and then multiplied by √(2π): in 1 / a * b only a is below. Put the denominator in brackets.",
        ),
        slip(
            measure_valued_pair,
            {"1 / (sigma * math.sqrt(2 * math.pi))": "0.5 / (sigma * math.sqrt(2 * math.pi))"},
            "Your constant is half of what it should be: c = 1 / (σ √(2π)) stands before the difference of both expectations.",
        ),
        slip(
            measure_valued_pair,
            {"torch.sqrt(-2 * torch.log(u))": "-torch.log(u)"},
            "Your W is exponential. From u = exp(−W²/2) follows W = √(−2 log u).",
        ),
        slip(
            measure_valued_pair,
            {"torch.sqrt(-2 * torch.log(u))": "u"},
            "You took u itself for W. Solve u = exp(−W²/2) for W.",
        ),
        slip(
            measure_valued_pair,
            {"1 / (sigma * math.sqrt(2 * math.pi))": "1 / (2 * math.pi * sigma).sqrt()"},
            "σ stands under the root of your constant, as a variance would. It is a standard deviation: c = 1 / (σ √(2π)).",
        ),
    ),
    alternatives=(pair_from_quantiles, pair_from_density, pair_loops),
)

# 6 ------------------------------------------------------------------------------------------------- enumeration


def coin_inputs(case, rng):
    """K coins that are neither fair nor certain, but for a hidden one, and what each side costs."""
    K = case["K"]
    logits = rng.uniform(0.5, 2.0, K) * np.where(np.arange(K) % 2, 1.0, -1.0)
    logits[-1] += case.get("certain", 0.0)
    return {
        "logits": logits,
        "values": rng.standard_normal((K, 2)) * 2 + np.array([1.0, 3.0]),
    }


def coin_gradients(logits, values):
    p = torch.sigmoid(logits)
    expectation = (1 - p) * values[:, 0] + p * values[:, 1]
    return expectation, p * (1 - p) * (values[:, 1] - values[:, 0])


def coins_autograd(logits, values):
    logits = logits.clone().requires_grad_()
    both = torch.stack([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=1)
    expectation = (both * values).sum(dim=1)
    (gradient,) = torch.autograd.grad(expectation.sum(), logits)
    return expectation.detach(), gradient


def coins_numpy(logits, values):
    a, v = logits.numpy(), values.numpy()
    p = 1 / (1 + np.exp(-a))
    return v[:, 0] + p * (v[:, 1] - v[:, 0]), (v[:, 1] - v[:, 0]) * p * (1 - p)


def coins_by_score(logits, values):
    expectations, gradients = [], []
    for logit, (f0, f1) in zip(logits.tolist(), values.tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        expectations.append((1 - p) * f0 + p * f1)
        # d log q / d logit is z − p: −p on the side 0, 1 − p on the side 1.
        gradients.append((1 - p) * f0 * (-p) + p * f1 * (1 - p))
    return expectations, gradients


def coins_by_probability(logits, values):
    p = torch.sigmoid(logits)
    return (1 - p) * values[:, 0] + p * values[:, 1], values[:, 1] - values[:, 0]


def coins_times_p_only(logits, values):
    p = torch.sigmoid(logits)
    return (1 - p) * values[:, 0] + p * values[:, 1], p * (values[:, 1] - values[:, 0])


def coins_logits_as_probabilities(logits, values):
    p = logits
    return (1 - p) * values[:, 0] + p * values[:, 1], values[:, 1] - values[:, 0]


def coins_sides_swapped(logits, values):
    p = torch.sigmoid(logits)
    return p * values[:, 0] + (1 - p) * values[:, 1], p * (1 - p) * (values[:, 0] - values[:, 1])


def coins_of_the_mean_outcome(logits, values):
    z = (logits > 0).to(values)
    p = torch.sigmoid(logits)
    likely = (1 - z) * values[:, 0] + z * values[:, 1]
    return likely, p * (1 - p) * (values[:, 1] - values[:, 0])


COINS = Exercise(
    name="coin_gradients",
    outputs=(Output("expectation", ("K",)), Output("gradient", ("K",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=coin_inputs,
    cases={
        "visible": ({"K": 3}, {"K": 1}),
        "hidden": ({"K": 4, "certain": 1500.0}, {"K": 1}, {"K": 7}),
    },
    reference=coin_gradients,
    wrong=(
        Wrong(
            coins_by_probability,
            "Your gradient is with respect to p. The parameter is the logit: multiply by dp/d logit, the slope of "
            "the sigmoid.",
        ),
        Wrong(
            coins_times_p_only,
            "The slope of the sigmoid is not p. It is largest for a fair coin and goes to 0 for a certain one, on "
            "either side.",
        ),
        Wrong(
            coins_logits_as_probabilities,
            "You used logits as probabilities. A logit is any number, log p/(1 − p); the probability is its sigmoid.",
        ),
        Wrong(
            coins_sides_swapped,
            "You swapped the sides of the coin: p is the probability of z = 1, whose value stands in the column "
            "values[:, 1].",
        ),
        Wrong(
            coins_of_the_mean_outcome,
            "Your expectation is the value of the likelier side. An expectation weighs both sides by their "
            "probabilities.",
        ),
        slip(
            coin_gradients,
            {"p * (1 - p) * (values[:, 1] - values[:, 0])": "p * (1 - p) * (values[:, 0] - values[:, 1])"},
            "The sign of your gradient is turned: a larger logit makes z = 1 more probable, so the slope is that of f(1) − f(0).",
        ),
        slip(
            coin_gradients,
            {"p * (1 - p) * (values[:, 1] - values[:, 0])": "p * (1 - p) * (values[:, 1] + values[:, 0])"},
            "You added the values. What one side gains the other loses: f(1) − f(0).",
        ),
        slip(
            coin_gradients,
            {"p * (1 - p) * (values[:, 1] - values[:, 0])": "p * (1 - p) * values[:, 1]"},
            "Your gradient has the side 1 only. What it gains in probability the side 0 loses: f(1) − f(0).",
        ),
        slip(
            coin_gradients,
            {"p * (1 - p) * (values[:, 1] - values[:, 0])": "(1 - p) * (values[:, 1] - values[:, 0])"},
            "Your slope is 1 − p. That of the sigmoid is p (1 − p): it goes to 0 at either end.",
        ),
        slip(
            coin_gradients,
            {"p * (1 - p) * (values[:, 1] - values[:, 0])": "p * (1 - p)"},
            "Your gradient is the slope of the probability alone. It is multiplied by f(1) − f(0).",
        ),
        slip(
            coin_gradients,
            {
                "p * (1 - p) * (values[:, 1] - values[:, 0])": "p * (1 - p) * ((1 - p) * values[:, 0] + p * values[:, 1])"
            },
            "You multiplied by the expected value. The slope of p is multiplied by the difference f(1) − f(0).",
        ),
        slip(
            coin_gradients,
            {"p * (1 - p) * (values[:, 1] - values[:, 0])": "(values[:, 1] - values[:, 0]) / (p * (1 - p))"},
            "You divided by p (1 − p). That is the slope of the logit by p; here the slope of p by the logit multiplies.",
        ),
        slip(
            coin_gradients,
            {"p * (1 - p) * (values[:, 1] - values[:, 0])": "p**2 * (values[:, 1] - values[:, 0])"},
            "Your slope is p². That of the sigmoid is p (1 − p).",
        ),
        slip(
            coin_gradients,
            {
                "p * (1 - p) * (values[:, 1] - values[:, 0])": "(p * (1 - p)).sqrt() * (values[:, 1] - values[:, 0])"
            },
            "You took a root: √(p (1 − p)) is the coin's standard deviation. The slope of the sigmoid is p (1 − p).",
        ),
        slip(
            coin_gradients,
            {"p * (1 - p) * (values[:, 1] - values[:, 0])": "logits * (values[:, 1] - values[:, 0])"},
            "You multiplied by the logit. By the chain rule the slope of the sigmoid, p (1 − p), multiplies.",
        ),
        slip(
            coin_gradients,
            {"torch.sigmoid(logits)": "torch.softmax(logits, dim=0)"},
            "You took the softmax over the coins. Each coin is on its own: its probability is the sigmoid of its logit.",
        ),
        slip(
            coin_gradients,
            {"torch.sigmoid(logits)": "(torch.tanh(logits) + 1) / 2"},
            "Your probability is made of tanh(a), which is the sigmoid of 2a. Take the sigmoid of the logit itself.",
        ),
        slip(
            coin_gradients,
            {"torch.sigmoid(logits)": "logits.exp()"},
            "Your probability is exp(a), the odds. From a logit it is the sigmoid, 1 / (1 + exp(−a)).",
        ),
        slip(
            coin_gradients,
            {"(1 - p) * values[:, 0] + p * values[:, 1]": "values[:, 0] + p * values[:, 1]"},
            "The side 0 counts in full in your expectation. Its probability is 1 − p.",
        ),
        slip(
            coin_gradients,
            {"(1 - p) * values[:, 0] + p * values[:, 1]": "p * values[:, 1]"},
            "Your expectation has the side 1 only. The side 0 is worth f(0), with the probability 1 − p.",
        ),
        slip(
            coin_gradients,
            {"(1 - p) * values[:, 0] + p * values[:, 1]": "values.mean(dim=1)"},
            "Your expectation is that of a fair coin. The sides are weighted by 1 − p and p.",
        ),
        slip(
            coin_gradients,
            {"(1 - p) * values[:, 0] + p * values[:, 1]": "values.sum(dim=1)"},
            "You added both sides. They are weighted by their probabilities, 1 − p and p.",
        ),
        slip(
            coin_gradients,
            {
                "expectation = (1 - p) * values[:, 0] + p * values[:, 1]": "expectation = ((1 - p) * values[:, 0] + p * values[:, 1]).mean().expand(len(p))"
            },
            "You averaged over the coins. Each has an expectation of its own, shape (K,).",
        ),
        slip(
            coin_gradients,
            {
                "p * (1 - p) * (values[:, 1] - values[:, 0])": "p * (1 - p) * (1 - 2 * p) * (values[:, 1] - values[:, 0])"
            },
            "Your gradient is a second derivative. The slope of the sigmoid is p (1 − p).",
        ),
        slip(
            coin_gradients,
            {
                "p * (1 - p) * (values[:, 1] - values[:, 0])": "logits * (1 - logits) * (values[:, 1] - values[:, 0])"
            },
            "You put the logit into p (1 − p). The slope of the sigmoid is that of the probability.",
        ),
        slip(
            coin_gradients,
            {"p * (1 - p) * (values[:, 1] - values[:, 0])": "(1 - p**2) * (values[:, 1] - values[:, 0])"},
            "Your slope is 1 − p², as for tanh. That of the sigmoid is p (1 − p).",
        ),
        slip(
            coin_gradients,
            {
                "p * (1 - p) * (values[:, 1] - values[:, 0])": "p * (1 - p) * (values[:, 1] - values[:, 0]) / len(p)"
            },
            "You divided by the number of coins. Each coin has a derivative of its own.",
        ),
        slip(
            coin_gradients,
            {
                "p * (1 - p) * (values[:, 1] - values[:, 0])": "(p * (1 - p)) ** 2 * (values[:, 1] - values[:, 0])"
            },
            "You multiplied by the slope of the sigmoid twice. It is p (1 − p), once.",
        ),
        slip(
            coin_gradients,
            {"torch.sigmoid(logits)": "logits.exp() / (1 + logits.exp())"},
            "Your formula is right but overflows: e^a / (1 + e^a) is infinity over infinity for a large a. Use torch.sigmoid, which is written for both ends.",
            loses=("hidden",),
        ),
        slip(
            coin_gradients,
            {"torch.sigmoid(logits)": "torch.sigmoid(logits).clamp(0.01, 0.99)"},
            "You cut probabilities off near 0 and 1. Nothing here needs it, and a coin that is nearly certain gets a wrong expectation.",
            loses=("hidden",),
        ),
    ),
    alternatives=(coins_autograd, coins_numpy, coins_by_score),
)

# 7 ---------------------------------------------------------------------------------------------- relaxed coins


def relaxed_inputs(case, rng):
    """Uniform numbers, and K logits; some hidden ones are as large as a trained network's, or rare."""
    S, K = case["S"], case["K"]
    u = rng.uniform(0.1, 0.9, (S, K))
    if case.get("rare"):
        u[0] = case["rare"]
    logits = rng.uniform(0.3, 1.5, K) * np.where(np.arange(K) % 2, 1.0, -1.0)
    logits[0] += case["certain"]
    return {"logits": logits, "u": u, "temperature": case["temperature"]}


def relaxed_coins(logits, u, temperature):
    noise = torch.log(u) - torch.log1p(-u)
    z = torch.sigmoid((logits + noise) / temperature)
    return z, z * (1 - z) / temperature


def relaxed_autograd(logits, u, temperature):
    copies = logits.expand(u.shape).clone().requires_grad_()
    z = torch.sigmoid((copies + torch.logit(u)) / temperature)
    (slope,) = torch.autograd.grad(z.sum(), copies)
    return z.detach(), slope


def relaxed_softmax(logits, u, temperature):
    first = (logits + torch.log(u)) / temperature
    second = torch.log(1 - u) / temperature
    both = torch.softmax(torch.stack([first, second]), dim=0)
    return both[0], both[0] * both[1] / temperature


def relaxed_scipy(logits, u, temperature):
    from scipy.special import expit, logit

    a = (logits.numpy()[None] + logit(u.numpy())) / temperature
    return expit(a), expit(a) * expit(-a) / temperature


def relaxed_without_noise(logits, u, temperature):
    z = torch.sigmoid((logits + 0 * u) / temperature)
    return z, z * (1 - z) / temperature


def relaxed_multiplied(logits, u, temperature):
    z = torch.sigmoid((logits + torch.logit(u)) * temperature)
    return z, z * (1 - z) * temperature


def relaxed_noise_not_cooled(logits, u, temperature):
    z = torch.sigmoid(logits / temperature + torch.logit(u))
    return z, z * (1 - z) / temperature


def relaxed_slope_without_temperature(logits, u, temperature):
    z = torch.sigmoid((logits + torch.logit(u)) / temperature)
    return z, z * (1 - z)


def relaxed_rounded(logits, u, temperature):
    z = torch.sigmoid((logits + torch.logit(u)) / temperature)
    return z.round(), z * (1 - z) / temperature


def relaxed_uniform_noise(logits, u, temperature):
    z = torch.sigmoid((logits + u) / temperature)
    return z, z * (1 - z) / temperature


def relaxed_overflows(logits, u, temperature):
    odds = torch.exp((logits + torch.logit(u)) / temperature)
    z = odds / (1 + odds)
    return z, z * (1 - z) / temperature


RELAXED = Exercise(
    name="relaxed_coins",
    outputs=(Output("z", ("S", "K")), Output("slope", ("S", "K"))),
    points={"visible": 1, "hidden": 1},
    make_inputs=relaxed_inputs,
    cases={
        "visible": (
            {"S": 4, "K": 2, "temperature": 0.5, "certain": 0.0},
            {"S": 3, "K": 1, "temperature": 2.0, "certain": 0.0},
        ),
        "hidden": (
            {"S": 5, "K": 3, "temperature": 0.4, "certain": 0.0},
            {"S": 4, "K": 1, "temperature": 1.6, "certain": 0.0},
            # exp(900) is infinite in float64, and infinity over infinity no number.
            {"S": 3, "K": 4, "temperature": 1.5, "certain": 1500.0},
            # 1 − sigmoid(60) is 0 in float64; the logit itself, divided by τ, is an ordinary number.
            {"S": 2, "K": 3, "temperature": 40.0, "certain": 60.0},
            # A draw that comes once in a thousand million times; where u is kept from 0 and 1, it never comes.
            {"S": 3, "K": 2, "temperature": 8.0, "certain": 0.0, "rare": 1e-9},
        ),
    },
    reference=relaxed_coins,
    wrong=(
        Wrong(
            relaxed_without_noise,
            "Your z does not depend on u: it is a function of the logit, not a draw. Add the logistic noise before "
            "the sigmoid.",
        ),
        Wrong(
            relaxed_multiplied,
            "You multiplied by the temperature. A cold relaxation must be sharper, nearer to 0 and 1: divide by τ.",
        ),
        Wrong(
            relaxed_noise_not_cooled,
            "You divided the logit by τ, but not the noise. Only if both are scaled alike is the sign of their sum, "
            "and with it the side the coin falls on, the same at every temperature.",
        ),
        Wrong(
            relaxed_slope_without_temperature,
            "Your slope lacks the inner derivative: the logit stands divided by τ inside the sigmoid.",
        ),
        Wrong(
            relaxed_rounded,
            "You rounded z. A rounded z is a fair draw, but it has jumps and no slope; the relaxed one lies between "
            "0 and 1.",
        ),
        Wrong(
            relaxed_uniform_noise,
            "You added u itself. The noise that makes z > ½ happen with probability sigmoid(logit) is logistic: "
            "log u − log(1 − u).",
        ),
        Wrong(
            relaxed_overflows,
            "Your formula is right but overflows: e^a / (1 + e^a) is infinity over infinity for a large a. Use "
            "torch.sigmoid, which is written for both ends.",
            loses=("hidden",),
        ),
        slip(
            relaxed_coins,
            {"torch.log(u) - torch.log1p(-u)": "torch.log(1 - u) - torch.log(u)"},
            "The sign of the noise is turned: g = log u − log(1 − u).",
        ),
        slip(
            relaxed_coins,
            {"torch.log(u) - torch.log1p(-u)": "torch.log(u)"},
            "Half of the noise is missing: g = log u − log(1 − u).",
        ),
        slip(
            relaxed_coins,
            {"torch.log(u) - torch.log1p(-u)": "torch.log(u) + torch.log1p(-u)"},
            "You added where you should subtract: g = log u − log(1 − u).",
        ),
        slip(
            relaxed_coins,
            {"torch.log(u) - torch.log1p(-u)": "-torch.log(-torch.log(u))"},
            "Your noise is one Gumbel variable. The difference of two is logistic: g = log u − log(1 − u).",
        ),
        slip(
            relaxed_coins,
            {"torch.log(u) - torch.log1p(-u)": "torch.special.ndtri(u)"},
            "Your noise is normal. For a coin it is logistic: g = log u − log(1 − u).",
        ),
        slip(
            relaxed_coins,
            {"torch.log(u) - torch.log1p(-u)": "torch.log(u) / torch.log1p(-u)"},
            "You divided logarithms. g is their difference: log u − log(1 − u).",
        ),
        slip(
            relaxed_coins,
            {"(logits + noise)": "(torch.sigmoid(logits) + noise)"},
            "You added the noise to the probability. It belongs to the logit, before the sigmoid.",
        ),
        slip(
            relaxed_coins,
            {"torch.sigmoid((logits + noise) / temperature)": "torch.sigmoid(logits + noise / temperature)"},
            "You divided the noise by τ, but not the logit. Both are scaled alike: (a + g) / τ.",
        ),
        slip(
            relaxed_coins,
            {"torch.sigmoid((logits + noise) / temperature)": "torch.sigmoid(logits + noise)"},
            "The temperature is missing: z = sigmoid((a + g) / τ).",
        ),
        slip(
            relaxed_coins,
            {"z * (1 - z) / temperature": "z * (1 - z) * temperature"},
            "Your slope is multiplied by τ. The logit stands divided by it inside the sigmoid: so does its derivative.",
        ),
        slip(
            relaxed_coins,
            {"z * (1 - z) / temperature": "z / temperature"},
            "The slope of the sigmoid is z (1 − z), not z.",
        ),
        slip(
            relaxed_coins,
            {
                "z * (1 - z) / temperature": "torch.sigmoid(logits) * torch.sigmoid(-logits) / temperature + 0 * z"
            },
            "Your slope is that without noise. The derivative is taken where the draw lies: z (1 − z) / τ.",
        ),
        slip(
            relaxed_coins,
            {"z * (1 - z) / temperature": "torch.sigmoid(logits) * torch.sigmoid(-logits) + 0 * z"},
            "Your slope is that of the coin's probability. The relaxed draw has its own: z (1 − z) / τ.",
        ),
        slip(
            relaxed_coins,
            {"z * (1 - z) / temperature": "-z * (1 - z) / temperature"},
            "The sign of the slope is wrong: a larger logit gives a larger z.",
        ),
        slip(
            relaxed_coins,
            {"z * (1 - z) / temperature": "z * (1 - z) / temperature**2"},
            "Your slope is divided by τ twice: it is z (1 − z) / τ.",
        ),
        slip(
            relaxed_coins,
            {"torch.sigmoid((logits + noise) / temperature)": "torch.tanh((logits + noise) / temperature)"},
            "You took tanh, which goes from −1 to 1. A coin lies between 0 and 1: sigmoid.",
        ),
        slip(
            relaxed_coins,
            {"torch.sigmoid((logits + noise) / temperature)": "((logits + noise) / temperature).clamp(0, 1)"},
            "You cut off where the sigmoid squashes. z = sigmoid((a + g) / τ) has a slope everywhere.",
        ),
        slip(
            relaxed_coins,
            {"return z, z * (1 - z) / temperature": "return 1 - z, z * (1 - z) / temperature"},
            "You returned 1 − z, the other side of the coin.",
        ),
        slip(
            relaxed_coins,
            {
                "return z, z * (1 - z) / temperature": "return z.mean(dim=0).expand(z.shape), (z * (1 - z) / temperature).mean(dim=0).expand(z.shape)"
            },
            "You averaged over the draws. Return each draw's own coin and slope.",
        ),
        slip(
            relaxed_coins,
            {"torch.log(u) - torch.log1p(-u)": "u - 0.5"},
            "Your noise is uniform around 0. For a coin it is logistic: g = log u − log(1 − u).",
        ),
        slip(
            relaxed_coins,
            {"z * (1 - z) / temperature": "z * (1 + z) / temperature"},
            "The slope of the sigmoid is z (1 − z): it goes to 0 at either end.",
        ),
        slip(
            relaxed_coins,
            {"z * (1 - z) / temperature": "(1 - z**2) / temperature"},
            "Your slope is 1 − z², as for tanh. That of the sigmoid is z (1 − z), divided by τ.",
        ),
        slip(
            relaxed_coins,
            {"torch.log(u) - torch.log1p(-u)": "(torch.log10(u) - torch.log10(1 - u))"},
            "You took log₁₀. The logistic noise has natural logarithms.",
        ),
        slip(
            relaxed_coins,
            {"(logits + noise)": "(torch.nn.functional.logsigmoid(logits) + noise)"},
            "You added log p where the logit belongs: a = log p − log(1 − p).",
        ),
        slip(
            relaxed_coins,
            {"torch.log(u) - torch.log1p(-u)": "(torch.log(u) - torch.log1p(-u))[:1] + 0 * u"},
            "All draws have the noise of the first. Each draw has its own row of u.",
        ),
    ),
    alternatives=(relaxed_autograd, relaxed_softmax, relaxed_scipy),
)

# 8 ------------------------------------------------------------------------------------------------- minibatches


def minibatch_inputs(case, rng):
    """Gradients of M of N examples, and that of a log-prior, which is flat where students can see."""
    M, K = case["M"], case["K"]
    return {
        "per_example": rng.standard_normal((M, K)) + 1,
        "prior": case["prior"] * (rng.standard_normal(K) + 3),
        "num_examples": case["N"],
    }


def minibatch_gradient(per_example, prior, num_examples):
    return num_examples / len(per_example) * per_example.sum(dim=0) + prior


def minibatch_mean(per_example, prior, num_examples):
    return prior + num_examples * per_example.mean(dim=0)


def minibatch_numpy(per_example, prior, num_examples):
    g = per_example.numpy()
    weights = np.full(len(g), num_examples / len(g))
    return weights @ g + prior.numpy()


def minibatch_loops(per_example, prior, num_examples):
    total = prior.clone()
    for row in per_example:
        total = total + row * (num_examples / len(per_example))
    return [float(value) for value in total]


def minibatch_average_only(per_example, prior, num_examples):
    return per_example.mean(dim=0) + prior


def minibatch_sum_only(per_example, prior, num_examples):
    return per_example.sum(dim=0) + prior


def minibatch_inverted(per_example, prior, num_examples):
    return len(per_example) / num_examples * per_example.sum(dim=0) + prior


def minibatch_scaled_twice(per_example, prior, num_examples):
    return num_examples / len(per_example) * per_example.mean(dim=0) + prior


def minibatch_prior_scaled(per_example, prior, num_examples):
    return num_examples / len(per_example) * (per_example.sum(dim=0) + prior)


def minibatch_prior_for_each(per_example, prior, num_examples):
    return num_examples / len(per_example) * (per_example + prior).sum(dim=0)


MINIBATCH = Exercise(
    name="minibatch_gradient",
    outputs=(Output("gradient", ("K",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=minibatch_inputs,
    cases={
        "visible": ({"M": 4, "K": 3, "N": 20, "prior": 0.0}, {"M": 3, "K": 1, "N": 50, "prior": 0.0}),
        "hidden": (
            {"M": 5, "K": 2, "N": 30, "prior": 2.0},
            {"M": 2, "K": 1, "N": 7, "prior": 3.0},
            {"M": 6, "K": 4, "N": 100, "prior": 5.0},
        ),
    },
    reference=minibatch_gradient,
    wrong=(
        Wrong(
            minibatch_average_only,
            "You took the mean of the minibatch, which estimates the gradient of one example. The data's log-"
            "likelihood is a sum over N of them.",
        ),
        Wrong(
            minibatch_sum_only,
            "You summed the minibatch as if it were all the data. It holds M of N examples: each has to stand for N/M "
            "of them.",
        ),
        Wrong(
            minibatch_inverted,
            "Your factor is upside down. A minibatch is smaller than the data, so its sum has to be scaled up.",
        ),
        Wrong(
            minibatch_scaled_twice,
            "You divided by M twice: a mean is divided by M already. Scale the sum by N/M, or the mean by N.",
        ),
        Wrong(
            minibatch_prior_scaled,
            "You scaled the prior as well. It is one term, known exactly, and not an estimate from M examples: only "
            "the sum over data takes the factor N/M.",
            loses=("hidden",),
        ),
        Wrong(
            minibatch_prior_for_each,
            "You added the prior to every example. There is one log-prior for the whole data set, not one for each "
            "example.",
            loses=("hidden",),
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples * per_example.sum(dim=0) + prior"
            },
            "You multiplied the sum by N. Each of the M examples stands for N/M: multiply the sum by N/M, or the mean by N.",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "per_example.mean(dim=0) / num_examples + prior"
            },
            "You divided by N. The gradient is that of a sum over N examples: multiply the mean by N.",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "-(num_examples / len(per_example) * per_example.sum(dim=0) + prior)"
            },
            "The sign is turned: this is the gradient of the loss. Asked for is that of the log-posterior.",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "(num_examples - len(per_example)) / len(per_example) * per_example.sum(dim=0) + prior"
            },
            "You took off the M examples of the minibatch. They are N/M times in the estimate: the factor is N/M.",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples / (len(per_example) - 1) * per_example.sum(dim=0) + prior"
            },
            "You divided by M − 1. That belongs to a variance; the factor is N/M.",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples * per_example.median(dim=0).values + prior"
            },
            "You took a median. Only the mean estimates a sum without a bias.",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "math.sqrt(num_examples / len(per_example)) * per_example.sum(dim=0) + prior"
            },
            "You took the root of N/M. Gradients add up, so the factor is N/M.",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples / len(per_example) * per_example.sum() + prior"
            },
            "You summed over the parameters as well. The gradient has one entry for each of the K parameters: sum over the examples only (dim=0).",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples / per_example.shape[1] * per_example.sum(dim=0) + prior"
            },
            "You divided by K, the number of parameters. Each of the M examples stands for N/M.",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples / per_example.numel() * per_example.sum(dim=0) + prior"
            },
            "You divided by M K. Each of the M examples stands for N/M, whatever the number of parameters.",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples * per_example[0] + prior"
            },
            "You used the first example only. That is unbiased, but throws away what the others say: average over all M.",
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples / len(per_example) * per_example.sum(dim=0)"
            },
            "The prior is missing. Where you can see it is flat; in general its gradient is added.",
            loses=("hidden",),
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples / len(per_example) * per_example.sum(dim=0) - prior"
            },
            "You subtracted the prior's gradient. log p(θ) is a term of the sum: add it.",
            loses=("hidden",),
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples / len(per_example) * per_example.sum(dim=0) + prior / num_examples"
            },
            "You divided the prior by N. That goes with an average over the examples; in the whole sum it counts once.",
            loses=("hidden",),
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples / len(per_example) * per_example.sum(dim=0) + len(per_example) / num_examples * prior"
            },
            "You scaled the prior by M/N. That is its part in the loss of one minibatch; in the gradient of the whole it counts once.",
            loses=("hidden",),
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples / len(per_example) * per_example.sum(dim=0) + prior / len(per_example)"
            },
            "You divided the prior by M. It is one term, known exactly, and counts once.",
            loses=("hidden",),
        ),
        slip(
            minibatch_gradient,
            {
                "num_examples / len(per_example) * per_example.sum(dim=0) + prior": "num_examples / len(per_example) * (per_example.sum(dim=0) + len(per_example) / num_examples * 0) + 2 * prior"
            },
            "You added the prior twice. It is one term, known exactly, and counts once.",
            loses=("hidden",),
        ),
    ),
    alternatives=(minibatch_mean, minibatch_numpy, minibatch_loops),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("gradients",)

EXERCISES = (ESTIMATE, SCORE, BASELINE, PATH, PAIR, COINS, RELAXED, MINIBATCH)

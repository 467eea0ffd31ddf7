"""Approximate inference: Metropolis–Hastings and its diagnostics, EM, mean field, and the ELBO.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu_grader.authoring.slips import slip

# 1 ---------------------------------------------------------------------------------------------------- acceptance


def acceptance_inputs(case, rng):
    """Log-densities and log-proposals of K moves, some towards more probable states and some not."""
    K = case["K"]
    log_p = case["offset"] + 1.5 * rng.standard_normal(K)
    step = np.where(np.arange(K) % 3 == 1, 0.9, -0.9) + 0.3 * rng.standard_normal(K)
    step = step - case.get("far", 0.0)  # a move that is hardly ever accepted
    forward = -1.0 - rng.random(K)
    # Its size stays away from 0 and from that of the step, so that leaving it out or turning it round shows.
    ratio = np.where(np.arange(K) % 2 == 0, 0.5, -0.45) * (1 + 0.3 * rng.random(K))
    return {
        "log_p": log_p,
        "log_p_new": log_p + step,
        "log_q_forward": forward,
        "log_q_backward": forward + ratio,
    }


def acceptance_probability(log_p, log_p_new, log_q_forward, log_q_backward):
    return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()


def acceptance_numpy(log_p, log_p_new, log_q_forward, log_q_backward):
    log_ratio = (log_p_new + log_q_backward) - (log_p + log_q_forward)
    return np.exp(np.minimum(log_ratio.numpy(), 0.0))


def acceptance_loop(log_p, log_p_new, log_q_forward, log_q_backward):
    result = []
    for p, p_new, there, back in zip(log_p, log_p_new, log_q_forward, log_q_backward, strict=True):
        log_ratio = float(p_new - p + back - there)
        result.append(1.0 if log_ratio >= 0 else math.exp(log_ratio))
    return result


def acceptance_minimum(log_p, log_p_new, log_q_forward, log_q_backward):
    ratio = torch.exp(log_p_new - log_p) * torch.exp(log_q_backward - log_q_forward)
    return torch.minimum(ratio, torch.ones_like(ratio))


def acceptance_without_proposal(log_p, log_p_new, log_q_forward, log_q_backward):
    return (log_p_new - log_p).clamp(max=0.0).exp()


def acceptance_proposal_upside_down(log_p, log_p_new, log_q_forward, log_q_backward):
    return (log_p_new - log_p + log_q_forward - log_q_backward).clamp(max=0.0).exp()


def acceptance_target_upside_down(log_p, log_p_new, log_q_forward, log_q_backward):
    return (log_p - log_p_new + log_q_backward - log_q_forward).clamp(max=0.0).exp()


def acceptance_not_capped(log_p, log_p_new, log_q_forward, log_q_backward):
    return (log_p_new - log_p + log_q_backward - log_q_forward).exp()


def acceptance_of_underflow(log_p, log_p_new, log_q_forward, log_q_backward):
    ratio = log_p_new.exp() * log_q_backward.exp() / (log_p.exp() * log_q_forward.exp())
    return ratio.clamp(max=1.0)


ACCEPTANCE = Exercise(
    name="acceptance_probability",
    outputs=(Output("probability", ("K",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=acceptance_inputs,
    cases={
        "visible": ({"K": 7, "offset": -3.0}, {"K": 1, "offset": -2.0}),
        "hidden": (
            {"K": 9, "offset": -4.0},
            {"K": 1, "offset": -5.0, "far": 20.0},
            {"K": 5, "offset": -2000.0},
        ),
    },
    reference=acceptance_probability,
    wrong=(
        Wrong(
            acceptance_without_proposal,
            "You left the proposal out. A move that is easy to propose one way and hard the other needs the factor "
            "q(back) / q(there), or the chain settles in another distribution.",
        ),
        Wrong(
            acceptance_proposal_upside_down,
            "The proposal's ratio is upside down. Detailed balance divides by how easily the move is proposed: log "
            "q_backward − log q_forward.",
        ),
        Wrong(
            acceptance_target_upside_down,
            "The target's ratio is upside down, so the chain runs away from probable states. It is p(new) / p(old): "
            "log_p_new − log_p.",
        ),
        Wrong(
            acceptance_not_capped,
            "Some of your values are above 1. A probability is at most 1: a move with a ratio above 1 is always "
            "accepted, α = min(1, ratio).",
        ),
        Wrong(
            acceptance_of_underflow,
            "Your formula is right, but exp(−2000) is 0 in floating point, and 0 / 0 is no number. Subtract the "
            "logarithms first, and take exp of the difference only.",
            loses=("hidden",),
        ),
        slip(
            acceptance_probability,
            {
                "(log_p_new - log_p + log_q_backward - log_q_forward)": "(log_p - log_p_new + log_q_forward - log_q_backward)"
            },
            "Your ratio is upside down, the target's and the proposal's: it is p(new) q(back) / (p(old) q(there)).",
        ),
        slip(
            acceptance_probability,
            {".clamp(max=0.0).exp()": ".clamp(max=0.0)"},
            "You returned the logarithm of the probability. Take exp at the end.",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()": "return torch.sigmoid(log_p_new - log_p + log_q_backward - log_q_forward)"
            },
            "You took the sigmoid of the log-ratio. That is another rule (Barker's), which accepts less: here α = min(1, ratio).",
        ),
        slip(
            acceptance_probability,
            {".clamp(max=0.0)": ".clamp(min=0.0)"},
            "You took the larger of the ratio and 1. A probability is at most 1: α = min(1, ratio).",
        ),
        slip(
            acceptance_probability,
            {
                "(log_p_new - log_p + log_q_backward - log_q_forward)": "(log_p_new - log_p + log_q_backward + log_q_forward)"
            },
            "Both proposals are added. How easily the move was proposed divides: subtract log q_forward.",
        ),
        slip(
            acceptance_probability,
            {"(log_p_new - log_p + log_q_backward - log_q_forward)": "(log_p_new - log_p - log_q_forward)"},
            "The way back is missing, or subtracted as well: the ratio has log q_backward − log q_forward.",
        ),
        slip(
            acceptance_probability,
            {"(log_p_new - log_p + log_q_backward - log_q_forward)": "(log_p_new - log_p + log_q_backward)"},
            "The way there is missing: the ratio has log q_backward − log q_forward.",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward)": "return (log_p_new + log_q_backward)"
            },
            "You did not divide by the old state: its log_p and log_q_forward are subtracted.",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()": "return 1 - (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()"
            },
            "You returned the probability of a rejection, 1 − α.",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()": "return ((log_p_new - log_p + log_q_backward - log_q_forward) >= 0).to(log_p)"
            },
            "You returned a decision. Asked for is the probability of accepting: less probable moves are accepted now and then.",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()": "return (log_p_new - log_p).clamp(max=0.0).exp() * (log_q_backward - log_q_forward).clamp(max=0.0).exp()"
            },
            "You capped the two ratios one by one. Only their product is capped at 1: what one lacks, the other may make up for.",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()": "return (log_p_new - log_p).clamp(max=0.0).exp() * (log_q_backward - log_q_forward).exp()"
            },
            "You capped the target's ratio before multiplying by the proposal's. The cap comes last: min(1, the product).",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()": "return torch.minimum(log_p_new / log_p * log_q_backward / log_q_forward, torch.ones_like(log_p))"
            },
            "You divided logarithms. A ratio's logarithm is the difference of the logarithms: subtract, then take exp.",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()": "return torch.exp2(log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=1.0)"
            },
            "You took a power of 2. The logarithms are natural ones: take exp.",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()": "return (0.5 * (log_p_new - log_p + log_q_backward - log_q_forward)).clamp(max=0.0).exp()"
            },
            "You took the root of the ratio. The arguments are logarithms of densities, not of squares: α = min(1, ratio).",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()": "return log_p_new.clamp(max=0.0).exp()"
            },
            "You took the new state's density alone. It is compared with the old one's: p(new) / p(old), times the proposals' ratio.",
        ),
        slip(
            acceptance_probability,
            {
                "return (log_p_new - log_p + log_q_backward - log_q_forward).clamp(max=0.0).exp()": "return (log_p_new - log_p + log_q_backward - log_q_forward).sum().clamp(max=0.0).exp().expand(len(log_p))"
            },
            "You made one decision of all moves. Each of the K moves has a probability of its own: no sum over the moves.",
        ),
        slip(
            acceptance_probability,
            {".clamp(max=0.0)": ".clamp(min=-10.0, max=0.0)"},
            "You cut the log-ratio off below. Very improbable moves have a tiny probability; exp of a large negative number is harmless.",
            loses=("hidden",),
        ),
    ),
    alternatives=(acceptance_numpy, acceptance_loop, acceptance_minimum),
)

# 2 --------------------------------------------------------------------------------------------------------- a chain


def chain_inputs(case, rng):
    """A Gaussian target, and the randomness of S random-walk steps."""
    S, K = case["S"], case["K"]
    A = rng.standard_normal((K, K))
    return {
        "z0": 1.5 + rng.standard_normal(K),
        "loc": rng.standard_normal(K),
        "precision": A @ A.T + 0.7 * np.eye(K),
        "scale": case["scale"],
        "eps": rng.standard_normal((S, K)),
        "log_u": np.log(rng.random(S)),
    }


def random_walk_chain(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for s in range(len(eps)):
        z_new = z + scale * eps[s]
        if log_u[s] < log_p(z_new) - log_p(z):
            z, accepted = z_new, accepted + 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


def chain_numpy(z0, loc, precision, scale, eps, log_u):
    z, loc, precision = z0.numpy().copy(), loc.numpy(), precision.numpy()
    samples = np.empty(tuple(eps.shape))
    moved = np.zeros(len(eps))
    for s, (e, lu) in enumerate(zip(eps.numpy(), log_u.numpy(), strict=True)):
        new = z + scale * e
        gain = 0.5 * ((z - loc) @ precision @ (z - loc) - (new - loc) @ precision @ (new - loc))
        if lu < gain:
            z, moved[s] = new, 1.0
        samples[s] = z
    return samples, moved.mean()


def chain_distribution(z0, loc, precision, scale, eps, log_u):
    target = torch.distributions.MultivariateNormal(loc, precision_matrix=precision)
    z, log_p, samples, accepted = z0, target.log_prob(z0), torch.empty_like(eps), []
    for s in range(len(eps)):
        z_new = z + eps[s] * scale
        log_p_new = target.log_prob(z_new)
        accept = log_u[s].exp() < (log_p_new - log_p).clamp(max=0.0).exp()
        z, log_p = torch.where(accept, z_new, z), torch.where(accept, log_p_new, log_p)
        samples[s] = z
        accepted.append(float(accept))
    return samples, sum(accepted) / len(accepted)


def chain_recursive_list(z0, loc, precision, scale, eps, log_u):
    rows, accepted = [z0.tolist()], 0
    L = precision.tolist()
    m = loc.tolist()

    def energy(z):
        d = [a - b for a, b in zip(z, m, strict=True)]
        return 0.5 * sum(d[i] * L[i][j] * d[j] for i in range(len(d)) for j in range(len(d)))

    for e, lu in zip(eps.tolist(), log_u.tolist(), strict=True):
        new = [a + scale * b for a, b in zip(rows[-1], e, strict=True)]
        ok = lu < energy(rows[-1]) - energy(new)
        accepted += ok
        rows.append(new if ok else rows[-1])
    return rows[1:], accepted / len(eps)


def chain_drops_rejected(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples = z0, []
    for s in range(len(eps)):
        z_new = z + scale * eps[s]
        if log_u[s] < log_p(z_new) - log_p(z):
            z = z_new
            samples.append(z)
    return torch.stack(samples), len(samples) / len(eps)


def chain_keeps_proposals(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for s in range(len(eps)):
        z_new = z + scale * eps[s]
        samples.append(z_new)
        if log_u[s] < log_p(z_new) - log_p(z):
            z, accepted = z_new, accepted + 1
    return torch.stack(samples), accepted / len(eps)


def chain_scale_squared(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for s in range(len(eps)):
        z_new = z + scale**2 * eps[s]
        if log_u[s] < log_p(z_new) - log_p(z):
            z, accepted = z_new, accepted + 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


def chain_only_climbs(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for s in range(len(eps)):
        z_new = z + scale * eps[s]
        if log_p(z_new) > log_p(z):
            z, accepted = z_new, accepted + 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


def chain_independent_proposals(z0, loc, precision, scale, eps, log_u):
    def log_p(z):
        return -0.5 * (z - loc) @ precision @ (z - loc)

    z, samples, accepted = z0, [], 0
    for s in range(len(eps)):
        z_new = z0 + scale * eps[s]
        if log_u[s] < log_p(z_new) - log_p(z):
            z, accepted = z_new, accepted + 1
        samples.append(z)
    return torch.stack(samples), accepted / len(eps)


CHAIN = Exercise(
    name="random_walk_chain",
    outputs=(Output("samples", ("S", "K")), Output("acceptance_rate", ())),
    points={"visible": 1, "hidden": 2},
    make_inputs=chain_inputs,
    cases={
        "visible": ({"S": 24, "K": 2, "scale": 1.6}, {"S": 18, "K": 1, "scale": 2.2}),
        "hidden": (
            {"S": 20, "K": 3, "scale": 0.6},
            {"S": 15, "K": 1, "scale": 2.5},
            {"S": 25, "K": 2, "scale": 1.5},
        ),
    },
    reference=random_walk_chain,
    wrong=(
        Wrong(
            chain_drops_rejected,
            "You keep accepted states only. A state that is hard to leave must be counted each time the chain stays: "
            "every step adds a row, so there are S of them.",
        ),
        Wrong(
            chain_keeps_proposals,
            "You store what was proposed. After a rejection the chain is where it was before: store the state after "
            "the decision.",
        ),
        Wrong(
            chain_scale_squared,
            "You squared the scale. It is a standard deviation: the proposal is z + scale · ε, whose variance is "
            "scale².",
        ),
        Wrong(
            chain_only_climbs,
            "Your chain never moves downhill, so it ends on the peak: that is optimisation. A less probable state "
            "must be accepted with probability p(new) / p(old): compare log u with the difference.",
        ),
        Wrong(
            chain_independent_proposals,
            "You propose from around the start at each step. A random walk proposes from around where the chain is "
            "now.",
        ),
        slip(
            random_walk_chain,
            {"scale * eps[s]": "math.sqrt(scale) * eps[s]"},
            "You took the root of the scale. It is a standard deviation: the proposal is z + scale · ε.",
        ),
        slip(
            random_walk_chain,
            {"scale * eps[s]": "eps[s]"},
            "The scale is missing: the proposal is z + scale · ε.",
        ),
        slip(
            random_walk_chain,
            {"z_new = z + scale": "z_new = loc + scale"},
            "You propose from around the target's mean. A random walk proposes from around where the chain is now.",
        ),
        slip(
            random_walk_chain,
            {"log_u[s] < log_p(z_new)": "log_u[s] > log_p(z_new)"},
            "Your comparison is the wrong way round: a move is accepted if log u is below the log-ratio.",
        ),
        slip(
            random_walk_chain,
            {"log_p(z_new) - log_p(z):": "log_p(z) - log_p(z_new):"},
            "Your chain runs away from probable states: the ratio is upside down, or the log-density lacks its minus. It is p(new) / p(old), with log p(z) = −½ (z − μ)^T Λ (z − μ).",
        ),
        slip(
            random_walk_chain,
            {"log_u[s] <": "log_u[s].exp() <"},
            "You compared u itself with a logarithm. Either both are logarithms (log u with the difference), or neither.",
        ),
        slip(
            random_walk_chain,
            {"-0.5 * (z": "-1.0 * (z"},
            "The ½ is missing from the log-density: log p(z) = −½ (z − μ)^T Λ (z − μ).",
        ),
        slip(
            random_walk_chain,
            {"@ precision @": "@ torch.linalg.inv(precision) @"},
            "You inverted the matrix. It is the precision already, the inverse of the covariance, which stands in the exponent as it is.",
        ),
        slip(
            random_walk_chain,
            {"* (z - loc) @ precision @ (z - loc)": "* z @ precision @ z"},
            "The target's mean is missing: log p(z) = −½ (z − μ)^T Λ (z − μ).",
        ),
        slip(
            random_walk_chain,
            {"precision @ (z - loc)\n": "torch.diag(precision.diagonal()) @ (z - loc)\n"},
            "You used the diagonal of the precision only. Its other entries say how the coordinates vary together: use the whole matrix.",
        ),
        slip(
            random_walk_chain,
            {
                "return torch.stack(samples), accepted / len(eps)": "return torch.stack(samples), 1 - accepted / len(eps)"
            },
            "Your rate is that of rejections. Asked for is the share of accepted moves.",
        ),
        slip(
            random_walk_chain,
            {"return torch.stack(samples), accepted / len(eps)": "return torch.stack(samples), accepted"},
            "You returned how many moves were accepted. A rate is divided by the number of steps S.",
        ),
        slip(
            random_walk_chain,
            {
                "return torch.stack(samples), accepted / len(eps)": "return torch.stack(samples), accepted / (len(eps) - 1)"
            },
            "You divided by S − 1. There are S steps, each accepted or not: divide by S.",
        ),
        slip(
            random_walk_chain,
            {
                "return torch.stack(samples), accepted / len(eps)": "return torch.stack([z0, *samples[:-1]]), accepted / len(eps)"
            },
            "Your first sample is the start. Each step adds the state after its decision; the start itself is none of them.",
        ),
        slip(
            random_walk_chain,
            {
                "return torch.stack(samples), accepted / len(eps)": "return torch.stack([z0, *samples]), accepted / len(eps)"
            },
            "You stored the start as well. Each of the S steps adds the state after its decision; the start is none of them.",
        ),
        slip(
            random_walk_chain,
            {"if log_u[s] < log_p(z_new) - log_p(z):": "if True:"},
            "You accept every move. It must be accepted with probability min(1, p(new) / p(old)): compare log u with the difference.",
        ),
        slip(
            random_walk_chain,
            {"log_p(z_new) - log_p(z):": "log_p(z_new):"},
            "You compared log u with log p(new) alone. The ratio counts: log p(new) − log p(old).",
        ),
        slip(
            random_walk_chain,
            {"log_p(z_new) - log_p(z):": "log_p(z_new) - log_p(z0):"},
            "You compared with the start at each step. The ratio is p(new) / p(where the chain is now).",
        ),
        slip(
            random_walk_chain,
            {"accepted / len(eps)": "accepted / (len(eps) + 1)"},
            "You divided by S + 1. There are S steps, each accepted or not: divide by S.",
        ),
        slip(
            random_walk_chain,
            {"z, samples, accepted = z0": "z, samples, accepted = loc"},
            "Your chain starts at the target's mean. It starts at z0.",
        ),
        slip(
            random_walk_chain,
            {"scale * eps[s]": "scale * eps[0]"},
            "You used the noise of the first step throughout. Step s has the noise eps[s].",
        ),
        slip(
            random_walk_chain,
            {"log_u[s] <": "log_u[(s + 1) % len(eps)] <"},
            "Your decisions use the random numbers of the next step. Step s has log_u[s].",
        ),
    ),
    alternatives=(chain_numpy, chain_distribution, chain_recursive_list),
)

# 3 ---------------------------------------------------------------------------------------------------- diagnostics


def summary_inputs(case, rng):
    """Chains that start far away and come home, with K = 1 or several; S − burn_in is even."""
    S, K = case["S"], case["K"]
    settle = case["start"] * np.exp(-np.arange(S)[:, None] / 3.0)
    level = case["apart"] * np.linspace(-1, 1, K)[None] if K > 1 else np.zeros((1, 1))
    slope = case["drift"] * np.linspace(-1, 1, S)[:, None]
    x = rng.standard_normal((S, K)) * np.linspace(0.7, 1.5, K)[None]
    x = x + settle + level + slope
    if case.get("calm"):
        # All halves have the same mean, so that R-hat is below 1.
        for half in np.split(x[case["burn_in"] :], 2):
            half -= half.mean(axis=0) - 2.5
    return {"samples": x, "burn_in": case["burn_in"]}


def summarize_chains(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    halves = torch.cat([kept[:n], kept[n:]], dim=1)
    W = halves.var(dim=0).mean()
    B = n * halves.mean(dim=0).var()
    return kept.mean(), (((n - 1) / n * W + B / n) / W).sqrt()


def summarize_numpy(samples, burn_in):
    kept = samples.numpy()[burn_in:]
    n = kept.shape[0] // 2
    halves = np.concatenate([kept[:n], kept[-n:]], axis=1)
    within = np.var(halves, axis=0, ddof=1).mean()
    between = np.var(halves.mean(axis=0), ddof=1)
    return np.average(kept), math.sqrt((n - 1) / n + between / within)


def summarize_loops(samples, burn_in):
    pieces = []
    for chain in samples.T.tolist():
        kept = chain[burn_in:]
        half = len(kept) // 2
        pieces += [kept[:half], kept[half:]]
    n, M = len(pieces[0]), len(pieces)
    means = [sum(piece) / n for piece in pieces]
    variances = [
        sum((v - mean) ** 2 for v in piece) / (n - 1) for piece, mean in zip(pieces, means, strict=True)
    ]
    W, centre = sum(variances) / M, sum(means) / M
    between = sum((mean - centre) ** 2 for mean in means) / (M - 1)
    return centre, (((n - 1) / n * W + between) / W) ** 0.5


def summarize_reshape(samples, burn_in):
    S, K = samples.shape
    n = (S - burn_in) // 2
    halves = samples[burn_in:].reshape(2, n, K).permute(1, 0, 2).reshape(n, 2 * K)
    W = torch.var(halves, dim=0).mean()
    plus = (n - 1) / n * W + torch.var(halves.mean(dim=0))
    return halves.mean(), torch.sqrt(plus / W)


def summarize_with_burn_in(samples, burn_in):
    n = len(samples) // 2
    halves = torch.cat([samples[:n], samples[-n:]], dim=1)
    W = halves.var(dim=0).mean()
    B = n * halves.mean(dim=0).var()
    return samples.mean(), (((n - 1) / n * W + B / n) / W).sqrt()


def summarize_cuts_the_end(samples, burn_in):
    kept = samples[: len(samples) - burn_in]
    n = len(kept) // 2
    halves = torch.cat([kept[:n], kept[n:]], dim=1)
    W = halves.var(dim=0).mean()
    B = n * halves.mean(dim=0).var()
    return kept.mean(), (((n - 1) / n * W + B / n) / W).sqrt()


def summarize_without_root(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    halves = torch.cat([kept[:n], kept[n:]], dim=1)
    W = halves.var(dim=0).mean()
    B = n * halves.mean(dim=0).var()
    return kept.mean(), ((n - 1) / n * W + B / n) / W


def summarize_between_not_divided(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    halves = torch.cat([kept[:n], kept[n:]], dim=1)
    W = halves.var(dim=0).mean()
    B = n * halves.mean(dim=0).var()
    return kept.mean(), (((n - 1) / n * W + B) / W).sqrt()


def summarize_total_variance(samples, burn_in):
    kept = samples[burn_in:]
    n = len(kept) // 2
    halves = torch.cat([kept[:n], kept[n:]], dim=1)
    W = halves.var()
    B = n * halves.mean(dim=0).var()
    return kept.mean(), (((n - 1) / n * W + B / n) / W).sqrt()


SUMMARY = Exercise(
    name="summarize_chains",
    outputs=(Output("mean", ()), Output("r_hat", ())),
    points={"visible": 1, "hidden": 2},
    make_inputs=summary_inputs,
    cases={
        "visible": (
            {"S": 24, "K": 3, "burn_in": 8, "start": 9.0, "apart": 1.2, "drift": 0.8},
            {"S": 18, "K": 1, "burn_in": 6, "start": 12.0, "apart": 0.0, "drift": 2.5},
        ),
        "hidden": (
            {"S": 30, "K": 4, "burn_in": 10, "start": -11.0, "apart": 1.0, "drift": -1.0},
            {"S": 22, "K": 1, "burn_in": 8, "start": 14.0, "apart": 0.0, "drift": -3.0},
            {"S": 26, "K": 2, "burn_in": 12, "start": 10.0, "apart": 1.5, "drift": 0.5},
            {"S": 16, "K": 2, "burn_in": 6, "start": 8.0, "apart": 0.0, "drift": 0.0, "calm": True},
        ),
    },
    reference=summarize_chains,
    wrong=(
        Wrong(
            summarize_with_burn_in,
            "You forgot the burn-in. The first samples still remember where the chains began, and pull the mean "
            "there: leave out the first burn_in rows before anything else.",
        ),
        Wrong(
            summarize_cuts_the_end,
            "You dropped the last samples. The burn-in is at the beginning: samples[burn_in:].",
        ),
        Wrong(
            summarize_without_root,
            "Your R-hat is the ratio of variances. It compares standard deviations: take the square root.",
        ),
        Wrong(
            summarize_between_not_divided,
            "You added B where B / n belongs. B estimates n times the variance of the half-chains' means.",
        ),
        Wrong(
            summarize_total_variance,
            "Your W is the variance of all samples together, which already holds the differences between chains. "
            "Take each half-chain's own variance, and average these.",
        ),
        slip(
            summarize_chains,
            {
                "halves = torch.cat([kept[:n], kept[n:]], dim=1)": "halves, n = kept, len(kept)\n    if halves.shape[1] == 1:\n        return kept.mean(), kept.mean() * 0 + math.sqrt((n - 1) / n)"
            },
            "You did not split the chains. Halves of a chain that still drifts differ, which is how R-hat notices it, even with a single chain.",
        ),
        slip(
            summarize_chains,
            {
                "halves.var(dim=0).mean()": "halves.var(dim=0, correction=0).mean()",
                "halves.mean(dim=0).var()": "halves.mean(dim=0).var(correction=0)",
            },
            "Your variances divide by their number of values. W and B are unbiased estimates: divide by n − 1, and by the number of half-chains less one.",
        ),
        slip(
            summarize_chains,
            {"halves.var(dim=0).mean()": "halves.var(dim=0, correction=0).mean()"},
            "In W you divided by n. The variance within a half-chain of n samples divides by n − 1.",
        ),
        slip(
            summarize_chains,
            {"halves.mean(dim=0).var()": "halves.mean(dim=0).var(correction=0)"},
            "In B you divided by the number of half-chains. The variance between M means divides by M − 1.",
        ),
        slip(
            summarize_chains,
            {"halves.var(dim=0).mean()": "halves.std(dim=0).mean() ** 2"},
            "Your W is made of standard deviations. Average the half-chains' variances.",
        ),
        slip(
            summarize_chains,
            {"n * halves.mean(dim=0).var()": "halves.mean(dim=0).var()"},
            "The factor n is missing from B, or you divided by n twice: B / n is the variance of the half-chains' means.",
        ),
        slip(summarize_chains, {"(n - 1) / n * W": "W"}, "The factor (n − 1) / n before W is missing."),
        slip(
            summarize_chains,
            {"(n - 1) / n * W + B / n) / W": "B / n) / W"},
            "You compared B alone with W. R-hat compares (n − 1)/n W + B/n with W.",
        ),
        slip(
            summarize_chains,
            {"(n - 1) / n * W": "n / (n - 1) * W"},
            "The factor before W is upside down: it is (n − 1) / n.",
        ),
        slip(
            summarize_chains,
            {"(((n - 1) / n * W + B / n) / W).sqrt()": "(W / ((n - 1) / n * W + B / n)).sqrt()"},
            "Your R-hat is upside down. It is near 1 from above where chains agree: the larger estimate is divided by W.",
        ),
        slip(
            summarize_chains,
            {
                "n = len(kept) // 2\n": "n = len(kept) // 2\n    m, n = n, len(kept)\n",
                "[kept[:n], kept[n:]]": "[kept[:m], kept[m:]]",
            },
            "Your n is the length of the whole chains. After splitting, n is the length of a half.",
        ),
        slip(
            summarize_chains,
            {"[kept[:n], kept[n:]]": "[kept[::2], kept[1::2]]"},
            "You split the chains into odd and even steps. These agree even if a chain drifts: split into a first and a second half.",
        ),
        slip(
            summarize_chains,
            {"return kept.mean()": "return samples.mean()"},
            "Your mean is over all samples. Leave the burn-in out of it as well.",
        ),
        slip(
            summarize_chains,
            {"return kept.mean()": "return kept[-1].mean()"},
            "Your mean is that of the last states. Average over all samples that were kept.",
        ),
        slip(
            summarize_chains,
            {"return kept.mean()": "return kept.median()"},
            "You gave the median. Asked for is the mean of the kept samples.",
        ),
        slip(
            summarize_chains,
            {"return kept.mean()": "return kept.sum()"},
            "You summed the kept samples. Divide by their number.",
        ),
        slip(
            summarize_chains,
            {
                "return kept.mean(), (((n - 1) / n * W + B / n) / W).sqrt()": "return kept.mean(), (W + B / n) / W"
            },
            "Two things differ from R-hat: the factor (n − 1)/n before W is missing, and the root.",
        ),
        slip(
            summarize_chains,
            {"halves.var(dim=0).mean()": "halves.var(dim=0).median()"},
            "Your W is a median. It is the mean of the half-chains' variances.",
        ),
        slip(
            summarize_chains,
            {"halves.var(dim=0).mean()": "halves.var(dim=0).sum()"},
            "Your W is a sum, or B lacks its factor n and is divided by M. W is the mean of the half-chains' variances, B / n the variance of their means.",
        ),
        slip(
            summarize_chains,
            {"B / n) / W)": "B / n) / B)"},
            "You divided by B. R-hat is measured in units of the variance within: divide by W.",
        ),
        slip(
            summarize_chains,
            {
                "(((n - 1) / n * W + B / n) / W).sqrt()": "((n - 1) / n * W / W + (1 + 1 / halves.shape[1]) * B / n / W).sqrt()"
            },
            "You multiplied B by (M + 1)/M, as older texts do. Here it is (n − 1)/n W + B/n.",
        ),
        slip(
            summarize_chains,
            {"return kept.mean()": "return kept[n:].mean()"},
            "Your mean is that of the second halves. Average over all samples that were kept.",
        ),
        slip(
            summarize_chains,
            {
                "(((n - 1) / n * W + B / n) / W).sqrt()": "(((n - 1) / n * W + B / n) / W).sqrt().clamp(min=1.0)"
            },
            "You cut R-hat off at 1. By chance it may be a little below: leave it as it is.",
            loses=("hidden",),
        ),
    ),
    alternatives=(summarize_numpy, summarize_loops, summarize_reshape),
)

# 4 ------------------------------------------------------------------------------------------------------- an EM step


def em_inputs(case, rng):
    """Data in one dimension with K clumps, and a mixture that fits them badly."""
    N, K = case["N"], case["K"]
    centres = 2.5 * np.arange(K) - 1.0
    x = centres[np.arange(N) % K] + case.get("noise", 0.8) * rng.standard_normal(N)
    if case["far"]:
        x[0] = case["far"]
    weights = 1.0 + np.arange(K) + 0.3 * rng.random(K)
    return {
        "x": x,
        "weights": weights / weights.sum(),
        "means": centres + 0.7 + 0.3 * rng.standard_normal(K),
        "variances": 0.6 + 1.2 * rng.random(K) + 0.9 * (np.arange(K) % 2) + 1.0,
    }


def mixture_em_step(x, weights, means, variances):
    d = x[:, None] - means
    log_joint = weights.log() - 0.5 * (math.log(2 * math.pi) + variances.log() + d**2 / variances)
    r = log_joint.softmax(dim=1)
    N_k = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k
    return r, N_k / len(x), new_means, new_variances


def em_distributions(x, weights, means, variances):
    components = torch.distributions.Normal(means, variances.sqrt())
    log_joint = components.log_prob(x[:, None]) + weights.log()
    r = (log_joint - log_joint.logsumexp(dim=1, keepdim=True)).exp()
    N_k = r.sum(dim=0)
    new_means = x @ r / N_k
    second = x**2 @ r / N_k
    return r, r.mean(dim=0), new_means, second - new_means**2


def em_numpy(x, weights, means, variances):
    x, weights, means, variances = x.numpy(), weights.numpy(), means.numpy(), variances.numpy()
    log_joint = np.log(weights) - 0.5 * np.log(variances) - 0.5 * (x[:, None] - means) ** 2 / variances
    log_joint = log_joint - log_joint.max(axis=1, keepdims=True)
    r = np.exp(log_joint)
    r = r / r.sum(axis=1, keepdims=True)
    new_means = np.array([np.average(x, weights=column) for column in r.T])
    new_variances = [
        np.average((x - m) ** 2, weights=column) for m, column in zip(new_means, r.T, strict=True)
    ]
    return r, r.mean(axis=0), new_means, new_variances


def em_loops(x, weights, means, variances):
    N, K = len(x), len(means)
    r = []
    for n in range(N):
        logs = [
            math.log(float(weights[k]))
            - 0.5 * math.log(float(variances[k]))
            - 0.5 * float(x[n] - means[k]) ** 2 / float(variances[k])
            for k in range(K)
        ]
        top = max(logs)
        total = sum(math.exp(value - top) for value in logs)
        r.append([math.exp(value - top) / total for value in logs])
    N_k = [sum(row[k] for row in r) for k in range(K)]
    new_means = [sum(r[n][k] * float(x[n]) for n in range(N)) / N_k[k] for k in range(K)]
    new_variances = [
        sum(r[n][k] * (float(x[n]) - new_means[k]) ** 2 for n in range(N)) / N_k[k] for k in range(K)
    ]
    return r, [value / N for value in N_k], new_means, new_variances


def em_not_normalised(x, weights, means, variances):
    d = x[:, None] - means
    r = (weights.log() - 0.5 * (math.log(2 * math.pi) + variances.log() + d**2 / variances)).exp()
    N_k = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    return r, N_k / len(x), new_means, (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k


def em_normalised_over_data(x, weights, means, variances):
    d = x[:, None] - means
    r = (weights.log() - 0.5 * (variances.log() + d**2 / variances)).softmax(dim=0)
    N_k = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    return r, N_k / len(x), new_means, (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k


def em_variance_around_old_means(x, weights, means, variances):
    d = x[:, None] - means
    r = (weights.log() - 0.5 * (variances.log() + d**2 / variances)).softmax(dim=1)
    N_k = r.sum(dim=0)
    return r, N_k / len(x), (r * x[:, None]).sum(dim=0) / N_k, (r * d**2).sum(dim=0) / N_k


def em_divided_by_all(x, weights, means, variances):
    d = x[:, None] - means
    r = (weights.log() - 0.5 * (variances.log() + d**2 / variances)).softmax(dim=1)
    new_means = (r * x[:, None]).sum(dim=0) / len(x)
    return r, r.mean(dim=0), new_means, (r * (x[:, None] - new_means) ** 2).sum(dim=0) / len(x)


def em_without_weights(x, weights, means, variances):
    d = x[:, None] - means
    r = (-0.5 * (variances.log() + d**2 / variances)).softmax(dim=1)
    N_k = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    return r, N_k / len(x), new_means, (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k


def em_variance_for_scale(x, weights, means, variances):
    d = x[:, None] - means
    r = (weights.log() - variances.log() - 0.5 * d**2 / variances**2).softmax(dim=1)
    N_k = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    return r, N_k / len(x), new_means, (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k


def em_of_underflow(x, weights, means, variances):
    d = x[:, None] - means
    joint = weights * (-0.5 * d**2 / variances).exp() / (2 * math.pi * variances).sqrt()
    r = joint / joint.sum(dim=1, keepdim=True)
    N_k = r.sum(dim=0)
    new_means = (r * x[:, None]).sum(dim=0) / N_k
    return r, N_k / len(x), new_means, (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k


EM = Exercise(
    name="mixture_em_step",
    outputs=(
        Output("responsibilities", ("N", "K")),
        Output("weights", ("K",)),
        Output("means", ("K",)),
        Output("variances", ("K",)),
    ),
    points={"visible": 1, "hidden": 3},
    make_inputs=em_inputs,
    cases={
        "visible": ({"N": 9, "K": 3, "far": 0.0}, {"N": 6, "K": 1, "far": 0.0}, {"N": 7, "K": 2, "far": 0.0}),
        "hidden": (
            {"N": 11, "K": 2, "far": 0.0},
            {"N": 5, "K": 1, "far": 0.0, "noise": 0.1},
            {"N": 12, "K": 4, "far": 0.0},
            # A point so far out that both densities are 0 in floating point; the responsibilities still add up to 1.
            {"N": 8, "K": 2, "far": 150.0},
        ),
    },
    reference=mixture_em_step,
    wrong=(
        Wrong(
            em_not_normalised,
            "Your responsibilities are joint densities. They are the posterior p(k | x): divide each row by its "
            "sum, so that every example's responsibilities add up to 1.",
        ),
        Wrong(
            em_normalised_over_data,
            "Your responsibilities add up to 1 over the examples. Each example asks which component it is from: the "
            "sum over k, along dim=1, must be 1.",
        ),
        Wrong(
            em_variance_around_old_means,
            "You measured the spread around the old means. The M step maximises Q over means and variances "
            "together: use the new means.",
        ),
        Wrong(
            em_divided_by_all,
            "You divided by N. A component's mean and variance are averages over the N_k = Σ_n r_nk examples it "
            "answers for.",
        ),
        Wrong(
            em_without_weights,
            "Your E step leaves out the weights. By Bayes' rule a component that is common beforehand is likelier "
            "afterwards: multiply the density by π_k.",
        ),
        Wrong(
            em_variance_for_scale,
            "You took the variances for standard deviations. In the exponent stands (x − μ)² / (2 σ²), and "
            "variances holds σ² already.",
        ),
        Wrong(
            em_of_underflow,
            "Your formula is right, but for an example far from every component all densities are 0 in floating "
            "point, and 0 / 0 is no number. Normalise logarithms (softmax or logsumexp).",
            loses=("hidden",),
        ),
        slip(
            mixture_em_step,
            {"N_k / len(x), new_means": "N_k, new_means"},
            "Your weights are the numbers N_k. Weights add up to 1: divide by N.",
        ),
        slip(
            mixture_em_step,
            {"N_k / len(x), new_means": "N_k / len(means), new_means"},
            "You divided N_k by the number of components. Weights add up to 1: divide by N.",
        ),
        slip(
            mixture_em_step,
            {"return r, N_k / len(x)": "return r, weights"},
            "You returned the weights that were given. The M step computes new ones: N_k / N.",
        ),
        slip(
            mixture_em_step,
            {"new_means, new_variances\n": "new_means, new_variances.sqrt()\n"},
            "You returned standard deviations. The function works with variances: no root.",
        ),
        slip(
            mixture_em_step,
            {
                "(r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k": "(r * x[:, None] ** 2).sum(dim=0) / N_k"
            },
            "You did not take the mean off: a variance is the average of (x − μ_k)², with the new mean.",
        ),
        slip(
            mixture_em_step,
            {
                "(r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k": "(r * (x[:, None] - x.mean()) ** 2).sum(dim=0) / N_k"
            },
            "You measured the spread around the mean of all data. Each component's variance is that around its own new mean.",
        ),
        slip(
            mixture_em_step,
            {
                "(r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k": "(r * (x[:, None] - new_means) ** 2).sum(dim=0) / len(x)"
            },
            "You divided the variances by N. A component's variance is an average over the N_k = Σ_n r_nk examples it answers for.",
        ),
        slip(
            mixture_em_step,
            {"(r * x[:, None]).sum(dim=0) / N_k": "(r * x[:, None]).sum(dim=0) / len(x)"},
            "You divided the means by N. A component's mean is an average over the N_k = Σ_n r_nk examples it answers for.",
        ),
        slip(
            mixture_em_step,
            {
                "weights.log() - 0.5 * (math.log(2 * math.pi) + variances.log() + d**2 / variances)": "weights.log() - 0.5 * d**2 / variances"
            },
            "The normaliser of the densities is missing from the E step. A narrow component is higher: −½ log σ² differs between them.",
        ),
        slip(
            mixture_em_step,
            {"variances.log() + d**2": "2 * variances.log() + d**2"},
            "The normaliser has log σ² where ½ log σ² belongs: a density of variance σ² carries 1/√σ².",
        ),
        slip(
            mixture_em_step,
            {"d**2 / variances)": "d**2 / variances**2)"},
            "You squared the variances in the exponent. There stands (x − μ)² / (2 σ²), and variances holds σ² already.",
        ),
        slip(
            mixture_em_step,
            {"d**2 / variances)": "d**2 / variances.sqrt())"},
            "You took roots in the exponent. There stands (x − μ)² / (2 σ²), and variances holds σ² already.",
        ),
        slip(
            mixture_em_step,
            {"d**2 / variances)": "2 * d**2 / variances)"},
            "The ½ is missing from the exponent: it is −(x − μ)² / (2 σ²).",
        ),
        slip(
            mixture_em_step,
            {"weights.log() - 0.5": "weights - 0.5"},
            "You added the weights where their logarithms belong: log π_k + log N(x | μ_k, σ_k²).",
        ),
        slip(
            mixture_em_step,
            {"weights.log() - 0.5 * (math": "weights.log() + 0.5 * (math"},
            "The sign of the log-density is wrong: far from a component an example is less probable.",
        ),
        slip(
            mixture_em_step,
            {
                "r = log_joint.softmax(dim=1)\n": "r = torch.nn.functional.one_hot(log_joint.argmax(dim=1), len(means)).to(x)\n    r = r + 1e-12\n"
            },
            "Your responsibilities are decisions, 0 or 1. That is k-means; EM shares each example among the components by p(k | x).",
        ),
        slip(
            mixture_em_step,
            {"r = log_joint.softmax(dim=1)": "r = log_joint"},
            "Your responsibilities are logarithms. They are probabilities p(k | x): take the softmax over k.",
        ),
        slip(
            mixture_em_step,
            {"return r, N_k / len(x), new_means": "return r, N_k / len(x), means"},
            "You returned the means that were given. The M step computes new ones.",
        ),
        slip(
            mixture_em_step,
            {
                "new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k": "new_variances = (r * (x[:, None] - new_means) ** 2).sum(dim=0) / (N_k - 1)"
            },
            "You divided the variances by N_k − 1. The M step maximises the likelihood, which divides by N_k.",
        ),
        slip(
            mixture_em_step,
            {
                "log_joint.softmax(dim=1)": "(log_joint.exp() / (log_joint.exp().sum(dim=1, keepdim=True) + 1e-12))"
            },
            "You kept 0 / 0 away with a small number. Far from every component the responsibilities are then all 0; they add up to 1 everywhere. Normalise logarithms (softmax or logsumexp).",
            loses=("hidden",),
        ),
        slip(
            mixture_em_step,
            {"new_variances\n": "(new_variances * 0 + (N_k * new_variances).sum() / len(x))\n"},
            "You gave all components one variance. Each has its own: that of the examples it answers for, weighted by r.",
        ),
        slip(
            mixture_em_step,
            {"r * (x[:, None] - new_means) ** 2": "r**2 * (x[:, None] - new_means) ** 2"},
            "You squared the responsibilities in the variance. Each example counts by r_nk itself.",
        ),
        slip(
            mixture_em_step,
            {"(r * x[:, None]).sum(dim=0) / N_k": "(r**2 * x[:, None]).sum(dim=0) / N_k"},
            "You squared the responsibilities in the mean. Each example counts by r_nk itself.",
        ),
        slip(
            mixture_em_step,
            {
                "(r * (x[:, None] - new_means) ** 2).sum(dim=0) / N_k": "((x[:, None] - new_means) ** 2).mean(dim=0)"
            },
            "Your variances weigh all examples alike. Each counts by its responsibility r_nk, and the sum is divided by N_k.",
        ),
    ),
    alternatives=(em_distributions, em_numpy, em_loops),
)

# 5 ----------------------------------------------------------------------------------------- a sweep of mean field


def sweep_inputs(case, rng):
    """A Gaussian target with correlations, and means to start from."""
    K = case["K"]
    A = rng.standard_normal((K, K))
    return {
        "m": rng.standard_normal(K) + 2.0,
        "loc": rng.standard_normal(K) - 1.0,
        "precision": A @ A.T + 0.5 * np.eye(K) + 0.3 * np.ones((K, K)),
    }


def mean_field_sweep(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        pull = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - pull / precision[i, i]
    return m, 1 / precision.diagonal()


def sweep_numpy(m, loc, precision):
    d, L = (m - loc).numpy().copy(), precision.numpy()
    for i in range(len(d)):
        others = np.arange(len(d)) != i
        d[i] = -(L[i, others] @ d[others]) / L[i, i]
    return d + loc.numpy(), 1 / np.diag(L)


def sweep_gauss_seidel(m, loc, precision):
    # One sweep of Gauss and Seidel: the lower triangle acts on the new values, the upper one on the old.
    lower, upper = torch.tril(precision), torch.triu(precision, diagonal=1)
    d = torch.linalg.solve_triangular(lower, -(upper @ (m - loc))[:, None], upper=False)[:, 0]
    return loc + d, precision.diagonal().reciprocal()


def sweep_loops(m, loc, precision):
    new, K = m.tolist(), len(m)
    L, mu = precision.tolist(), loc.tolist()
    for i in range(K):
        new[i] = mu[i] - sum(L[i][j] * (new[j] - mu[j]) for j in range(K) if j != i) / L[i][i]
    return new, [1 / L[i][i] for i in range(K)]


def sweep_all_at_once(m, loc, precision):
    diagonal = precision.diagonal()
    pull = precision @ (m - loc) - diagonal * (m - loc)
    return loc - pull / diagonal, 1 / diagonal


def sweep_marginal_variance(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        pull = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - pull / precision[i, i]
    return m, torch.linalg.inv(precision).diagonal()


def sweep_wrong_sign(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        pull = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] + pull / precision[i, i]
    return m, 1 / precision.diagonal()


def sweep_precision_for_variance(m, loc, precision):
    m = m.clone()
    for i in range(len(m)):
        pull = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])
        m[i] = loc[i] - pull / precision[i, i]
    return m, precision.diagonal()


SWEEP = Exercise(
    name="mean_field_sweep",
    outputs=(Output("m_new", ("K",)), Output("variance", ("K",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=sweep_inputs,
    cases={"visible": ({"K": 3}, {"K": 1}), "hidden": ({"K": 2}, {"K": 1}, {"K": 4})},
    reference=mean_field_sweep,
    wrong=(
        Wrong(
            sweep_all_at_once,
            "You renewed all means from the old ones. Coordinate ascent uses each new mean at once; all together, "
            "the ELBO may fall.",
        ),
        Wrong(
            sweep_marginal_variance,
            "You gave the target's own variances, Σ_ii. That is what one would like to have; mean field gives the "
            "variance with the others held fixed, 1 / Λ_ii.",
        ),
        Wrong(
            sweep_wrong_sign,
            "The sign of the correction is wrong. Completing the square in z_i gives μ_i minus Λ_ij (m_j − μ_j) / "
            "Λ_ii, summed over the others.",
        ),
        Wrong(
            sweep_precision_for_variance,
            "You gave the precisions Λ_ii. A variance is one over a precision.",
        ),
        slip(
            mean_field_sweep,
            {"return m, 1 / precision.diagonal()": "return m, 1 / precision.diagonal().sqrt()"},
            "You gave standard deviations. Asked for is the variance, 1 / Λ_ii.",
        ),
        slip(
            mean_field_sweep,
            {"return m, 1 / precision.diagonal()": "return m, 1 / precision.diagonal() ** 2"},
            "You squared the variances, or took 1 / Λ_ii for a standard deviation. The variance is 1 / Λ_ii.",
        ),
        slip(
            mean_field_sweep,
            {"m[i] = loc[i] - pull / precision[i, i]": "m[i] = m[i] - pull / precision[i, i]"},
            "You corrected the old mean. The new one does not depend on it: it is μ_i less the pull of the others.",
        ),
        slip(
            mean_field_sweep,
            {"m[i] = loc[i] - pull / precision[i, i]": "m[i] = -pull / precision[i, i]"},
            "The target's mean is missing: m_i is μ_i less the pull of the others.",
        ),
        slip(
            mean_field_sweep,
            {"m[i] = loc[i] - pull / precision[i, i]": "m[i] = loc[i] - pull"},
            "You did not divide by Λ_ii. Completing the square in z_i divides the pull of the others by it.",
        ),
        slip(
            mean_field_sweep,
            {
                "pull = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])": "pull = precision[i] @ (m - loc)"
            },
            "Your sum includes j = i. Only the other entries pull: Σ_{j ≠ i} Λ_ij (m_j − μ_j).",
        ),
        slip(
            mean_field_sweep,
            {
                "pull = precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])": "pull = precision[i] @ m - precision[i, i] * m[i]"
            },
            "The pull of the others is that of their deviations, m_j − μ_j, not of m_j itself.",
        ),
        slip(
            mean_field_sweep,
            {"m[i] = loc[i] - pull / precision[i, i]": "m[i] = loc[i] - pull * precision[i, i]"},
            "You multiplied by Λ_ii. Completing the square in z_i divides the pull of the others by it.",
        ),
        slip(
            mean_field_sweep,
            {"for i in range(len(m))": "for i in reversed(range(len(m)))"},
            "You went through the entries from the last to the first. The sweep goes from the first to the last.",
        ),
        slip(
            mean_field_sweep,
            {"    for i in range": "    precision = torch.linalg.inv(precision)\n    for i in range"},
            "You inverted the matrix. It is the precision already, and Λ is what the formulas hold.",
        ),
        slip(
            mean_field_sweep,
            {"for i in range(len(m)):": "for i in [*range(len(m)), *range(len(m))]:"},
            "You did two sweeps. One sweep renews each entry once.",
        ),
        slip(
            mean_field_sweep,
            {"return m, 1": "return loc, 1"},
            "Your means are the target's, as if no entry pulled at another. All others pull: those before i with their new means, those after it with their old ones.",
        ),
        slip(
            mean_field_sweep,
            {
                "precision[i] @ (m - loc) - precision[i, i] * (m[i] - loc[i])": "precision[i, i + 1 :] @ (m - loc)[i + 1 :]"
            },
            "Your sum has the entries after i only. All others pull: those before i with their new means, those after it with their old ones.",
        ),
        slip(
            mean_field_sweep,
            {"return m, 1 / precision.diagonal()": "return m, torch.ones_like(m)"},
            "Your variances are all 1. With the others held fixed, z_i has the variance 1 / Λ_ii.",
        ),
        slip(
            mean_field_sweep,
            {"return m, 1 / precision.diagonal()": "return m, torch.linalg.inv(precision)"},
            "You gave the target's covariance. Mean field has independent entries, each with the variance 1 / Λ_ii.",
        ),
        slip(
            mean_field_sweep,
            {"return m, 1 / precision.diagonal()": "return m, torch.diag(1 / precision.diagonal())"},
            "You gave a matrix. Asked for are the K variances 1 / Λ_ii.",
        ),
        slip(
            mean_field_sweep,
            {"for i in range(len(m))": "for i in range(len(m) - 1)"},
            "The last mean is not renewed: the loop ends one too early.",
        ),
        slip(
            mean_field_sweep,
            {"for i in range(len(m))": "for i in range(1, len(m))"},
            "The first mean is not renewed: the loop begins one too late. Indices start at 0.",
        ),
        slip(
            mean_field_sweep,
            {"loc[i] - pull / precision[i, i]": "0.5 * (m[i] + loc[i] - pull / precision[i, i])"},
            "You went half of the way only. A coordinate step goes to the maximum: the new mean replaces the old one.",
        ),
        slip(
            mean_field_sweep,
            {"return m, 1 / precision.diagonal()": "return m, 0.5 / precision.diagonal()"},
            "Your variances are half of what they should be. exp(−½ Λ_ii z²) has the variance 1 / Λ_ii.",
        ),
        slip(
            mean_field_sweep,
            {
                "return m, 1 / precision.diagonal()": "return m, (1 / precision.diagonal().mean()).expand(len(m))"
            },
            "You gave all entries one variance. Each has its own: 1 / Λ_ii.",
        ),
    ),
    alternatives=(sweep_numpy, sweep_gauss_seidel, sweep_loops),
)

# 6 ---------------------------------------------------------------------------------------------------- the ELBO


def elbo_inputs(case, rng):
    """A linear Gaussian model with one observation, a q that is off, and noise for S samples."""
    S, D, K = case["S"], case["D"], case["K"]
    return {
        "x": rng.standard_normal(D) * 2,
        "W": rng.standard_normal((D, K)),
        "noise_variance": case["noise_variance"],
        "loc": rng.standard_normal(K),
        "scale": 0.3 + 0.4 * rng.random(K),
        "eps": rng.standard_normal((S, K)),
    }


def elbo_terms(x, W, noise_variance, loc, scale, eps):
    log_2pi = math.log(2 * math.pi)
    z = loc + scale * eps
    log_prior = -0.5 * (log_2pi + z**2).sum(dim=1)
    log_likelihood = -0.5 * (log_2pi + math.log(noise_variance) + (x - z @ W.T) ** 2 / noise_variance).sum(
        dim=1
    )
    log_q = -(0.5 * log_2pi + scale.log() + 0.5 * eps**2).sum(dim=1)
    return log_likelihood + log_prior - log_q


def elbo_distributions(x, W, noise_variance, loc, scale, eps):
    Normal = torch.distributions.Normal
    q = Normal(loc, scale)
    z = q.loc + q.scale * eps
    log_joint = Normal(z @ W.T, noise_variance**0.5).log_prob(x).sum(-1) + Normal(0.0, 1.0).log_prob(z).sum(
        -1
    )
    return log_joint - q.log_prob(z).sum(-1)


def elbo_numpy(x, W, noise_variance, loc, scale, eps):
    x, W, loc, scale, eps = (a.numpy() for a in (x, W, loc, scale, eps))

    def log_normal(value, mean, variance):
        return (-0.5 * np.log(2 * np.pi * variance) - 0.5 * (value - mean) ** 2 / variance).sum(axis=-1)

    z = loc + scale * eps
    return log_normal(x, z @ W.T, noise_variance) + log_normal(z, 0.0, 1.0) - log_normal(z, loc, scale**2)


def elbo_sample_by_sample(x, W, noise_variance, loc, scale, eps):
    multivariate = torch.distributions.MultivariateNormal
    D, K = W.shape
    q = multivariate(loc, torch.diag(scale**2))
    prior = multivariate(torch.zeros(K, dtype=x.dtype), torch.eye(K, dtype=x.dtype))
    noise = noise_variance * torch.eye(D, dtype=x.dtype)
    result = []
    for e in eps:
        z = loc + scale * e
        result.append(multivariate(W @ z, noise).log_prob(x) + prior.log_prob(z) - q.log_prob(z))
    return torch.stack(result)


def elbo_without_entropy(x, W, noise_variance, loc, scale, eps):
    log_2pi = math.log(2 * math.pi)
    z = loc + scale * eps
    log_prior = -0.5 * (log_2pi + z**2).sum(dim=1)
    return log_prior - 0.5 * (log_2pi + math.log(noise_variance) + (x - z @ W.T) ** 2 / noise_variance).sum(
        dim=1
    )


def elbo_entropy_sign(x, W, noise_variance, loc, scale, eps):
    log_2pi = math.log(2 * math.pi)
    z = loc + scale * eps
    log_prior = -0.5 * (log_2pi + z**2).sum(dim=1)
    log_likelihood = -0.5 * (log_2pi + math.log(noise_variance) + (x - z @ W.T) ** 2 / noise_variance).sum(
        dim=1
    )
    return log_likelihood + log_prior - (0.5 * log_2pi + scale.log() + 0.5 * eps**2).sum(dim=1)


def elbo_variance_for_scale(x, W, noise_variance, loc, scale, eps):
    log_2pi = math.log(2 * math.pi)
    z = loc + scale**2 * eps
    log_prior = -0.5 * (log_2pi + z**2).sum(dim=1)
    log_likelihood = -0.5 * (log_2pi + math.log(noise_variance) + (x - z @ W.T) ** 2 / noise_variance).sum(
        dim=1
    )
    return log_likelihood + log_prior + (0.5 * log_2pi + scale.log() + 0.5 * eps**2).sum(dim=1)


def elbo_mean_over_features(x, W, noise_variance, loc, scale, eps):
    log_2pi = math.log(2 * math.pi)
    z = loc + scale * eps
    log_prior = -0.5 * (log_2pi + z**2).sum(dim=1)
    log_likelihood = -0.5 * (log_2pi + math.log(noise_variance) + (x - z @ W.T) ** 2 / noise_variance).mean(
        dim=1
    )
    return log_likelihood + log_prior + (0.5 * log_2pi + scale.log() + 0.5 * eps**2).sum(dim=1)


def elbo_without_prior(x, W, noise_variance, loc, scale, eps):
    log_2pi = math.log(2 * math.pi)
    z = loc + scale * eps
    log_likelihood = -0.5 * (log_2pi + math.log(noise_variance) + (x - z @ W.T) ** 2 / noise_variance).sum(
        dim=1
    )
    return log_likelihood + (0.5 * log_2pi + scale.log() + 0.5 * eps**2).sum(dim=1)


ELBO = Exercise(
    name="elbo_terms",
    outputs=(Output("elbo", ("S",)),),
    points={"visible": 1, "hidden": 2},
    make_inputs=elbo_inputs,
    cases={
        "visible": (
            {"S": 4, "D": 3, "K": 2, "noise_variance": 0.6},
            {"S": 3, "D": 2, "K": 1, "noise_variance": 1.7},
        ),
        "hidden": (
            {"S": 5, "D": 4, "K": 3, "noise_variance": 0.5},
            {"S": 1, "D": 2, "K": 2, "noise_variance": 1.4},
            {"S": 6, "D": 3, "K": 1, "noise_variance": 0.8},
        ),
    },
    reference=elbo_terms,
    wrong=(
        Wrong(
            elbo_without_entropy,
            "You left out −log q(z). Without the entropy nothing keeps q wide, and maximising gives a single point, "
            "the peak of p(x, z).",
        ),
        Wrong(
            elbo_entropy_sign,
            "You added log q(z) where it must be subtracted. The bound rewards a wide q: log p(x, z) − log q(z).",
        ),
        Wrong(
            elbo_variance_for_scale,
            "You squared the scale when drawing z. It is a standard deviation: z = loc + scale · ε.",
        ),
        Wrong(
            elbo_mean_over_features,
            "You averaged log p(x | z) over the features. A log-density of D independent features is their sum; the "
            "average weighs the data D times too little.",
        ),
        Wrong(
            elbo_without_prior,
            "You left out log p(z). The joint is p(x | z) p(z), and without the prior nothing pulls q towards it.",
        ),
        slip(
            elbo_terms,
            {
                "return log_likelihood + log_prior - log_q": "return (log_likelihood + log_prior - log_q).mean().expand(len(eps))"
            },
            "You averaged over the samples. Asked for is each sample's own term, shape (S,).",
        ),
        slip(
            elbo_terms,
            {"return log_likelihood + log_prior - log_q": "return -(log_likelihood + log_prior - log_q)"},
            "The sign is turned: you returned the loss. The terms of the bound are log p(x, z) − log q(z).",
        ),
        slip(
            elbo_terms,
            {"return log_likelihood + log_prior - log_q": "return log_likelihood - log_prior - log_q"},
            "You subtracted log p(z). It is a part of the joint, log p(x | z) + log p(z): add it.",
        ),
        slip(
            elbo_terms,
            {"return log_likelihood + log_prior - log_q": "return log_prior - log_q"},
            "log p(x | z) is missing: nothing in your terms knows the observation.",
        ),
        slip(
            elbo_terms,
            {
                "math.log(noise_variance)": "2 * math.log(noise_variance)",
                "/ noise_variance)": "/ noise_variance**2)",
            },
            "You squared noise_variance. It already is σ²: a variance, not a standard deviation.",
        ),
        slip(
            elbo_terms,
            {"/ noise_variance)": "/ noise_variance**2)"},
            "In the exponent you squared noise_variance. It already is σ²: (x − W z)² / (2 σ²).",
        ),
        slip(
            elbo_terms,
            {"+ math.log(noise_variance)": ""},
            "The likelihood's normaliser lacks log σ²: each feature carries −½ log 2πσ².",
        ),
        slip(
            elbo_terms,
            {"math.log(noise_variance)": "2 * math.log(noise_variance)"},
            "The likelihood's normaliser has log σ² where ½ log σ² belongs: noise_variance is a variance.",
        ),
        slip(
            elbo_terms,
            {"-0.5 * (log_2pi + math": "-1.0 * (log_2pi + math"},
            "The ½ is missing from log p(x | z): −½ (log 2πσ² + (x − W z)² / σ²), summed over the features.",
        ),
        slip(
            elbo_terms,
            {"-0.5 * (log_2pi + z**2)": "-0.5 * (z**2)"},
            "The prior's constant is missing: log N(z | 0, 1) = −½ log 2π − ½ z² for each of the K entries.",
        ),
        slip(
            elbo_terms,
            {"-0.5 * (log_2pi + z**2)": "-1.0 * (log_2pi + z**2)"},
            "The ½ is missing from log p(z): −½ (log 2π + z²), summed over the entries.",
        ),
        slip(
            elbo_terms,
            {"0.5 * log_2pi + scale.log() + 0.5 * eps**2": "scale.log() + 0.5 * eps**2"},
            "The constant of log q is missing: −½ log 2π for each of the K entries.",
        ),
        slip(
            elbo_terms,
            {"0.5 * log_2pi + scale.log()": "0.5 * log_2pi + 2 * scale.log()"},
            "The logarithm of the scale is twice too large in log q: with a standard deviation it is −log σ.",
        ),
        slip(
            elbo_terms,
            {"0.5 * log_2pi + scale.log()": "0.5 * log_2pi + 0.5 * scale.log()"},
            "The logarithm of the scale is halved in log q. The ½ goes with variances: with a standard deviation it is −log σ.",
        ),
        slip(
            elbo_terms,
            {"0.5 * log_2pi + scale.log() + 0.5 * eps**2": "0.5 * log_2pi + 0.5 * eps**2"},
            "log q lacks −log σ: a narrow q is a high one.",
        ),
        slip(
            elbo_terms,
            {"0.5 * log_2pi + scale.log() + 0.5 * eps**2": "0.5 * log_2pi - scale.log() + 0.5 * eps**2"},
            "The logarithm of the scale has the wrong sign in log q: a narrow q is a high one, so it holds −log σ.",
        ),
        slip(
            elbo_terms,
            {"scale.log() + 0.5 * eps**2": "scale.log() + 0 * eps"},
            "log q lacks the exponent: −½ ε², with ε = (z − μ) / σ.",
        ),
        slip(
            elbo_terms,
            {"scale.log() + 0.5 * eps**2": "scale.log() + 0.5 * z**2"},
            "The squares of log p(z) and of log q(z) cancel. They must not: the prior's is −½ z², that of q −½ ε², with ε = "
            "(z − μ) / σ, the deviation from q's mean in units of its scale.",
        ),
        slip(
            elbo_terms,
            {"scale.log() + 0.5 * eps**2": "scale.log() + 0.5 + 0 * eps"},
            "You took the average entropy of q. Asked for is each sample's own −log q(z), with its ε.",
        ),
        slip(
            elbo_terms,
            {
                "log_prior = -0.5 * (log_2pi + z**2).sum(dim=1)": "log_prior = -0.5 * (log_2pi + z**2).mean(dim=1)"
            },
            "You averaged log p(z) over its entries. A log-density of K independent entries is their sum.",
        ),
        slip(
            elbo_terms,
            {"z = loc + scale * eps": "z = loc + scale.sqrt() * eps"},
            "You took the root of the scale when drawing z. It is a standard deviation: z = loc + scale · ε.",
        ),
        slip(
            elbo_terms,
            {"z = loc + scale * eps": "z = loc + eps"},
            "The scale is missing when you draw z: z = loc + scale · ε.",
        ),
        slip(
            elbo_terms,
            {
                "return log_likelihood + log_prior - log_q": "return (log_likelihood + log_prior - log_q) / math.log(2)"
            },
            "Your values are in bits. Here log is the natural logarithm and the unit is nats: leave out the division by log 2.",
        ),
        slip(
            elbo_terms,
            {"math.log(2 * math.pi)": "0.0"},
            "The likelihood's constant log 2π is missing. Those of the prior and of q cancel; each feature of x carries −½ log 2πσ².",
        ),
        slip(
            elbo_terms,
            {"return log_likelihood + log_prior - log_q": "return log_likelihood"},
            "You returned log p(x | z) alone. The bound's terms add log p(z) and subtract log q(z).",
        ),
        slip(
            elbo_terms,
            {"log_2pi + math.log(noise_variance) + (x": "(log_2pi + math.log(noise_variance)) / len(x) + (x"},
            "The likelihood's normaliser counts once. Each of the D features carries its own −½ log 2πσ².",
        ),
        slip(
            elbo_terms,
            {"/ noise_variance)": "/ math.sqrt(noise_variance))"},
            "In the exponent you took the root of noise_variance. There stands the variance: (x − W z)² / (2 σ²).",
        ),
        slip(
            elbo_terms,
            {"+ (x - z @ W.T) ** 2 / noise_variance": "+ 2 * (x - z @ W.T) ** 2 / noise_variance"},
            "The ½ is missing before the squared error: (x − W z)² / (2 σ²).",
        ),
        slip(
            elbo_terms,
            {"z @ W.T": "(loc + 0 * z) @ W.T"},
            "You decoded the mean of q. Each sample has its own z: log p(x | z) at that z.",
        ),
        slip(
            elbo_terms,
            {"z = loc + scale * eps": "z = scale * eps"},
            "The mean of q is missing when you draw z: z = loc + scale · ε.",
        ),
        slip(
            elbo_terms,
            {"z = loc + scale * eps": "z = eps + 0 * loc"},
            "You drew z from the prior. It is drawn from q: z = loc + scale · ε.",
        ),
    ),
    alternatives=(elbo_distributions, elbo_numpy, elbo_sample_by_sample),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("inference",)

EXERCISES = (ACCEPTANCE, CHAIN, SUMMARY, EM, SWEEP, ELBO)

"""Adversarial nets: the best critic, the game's value, losses from logits, the smallest GAN, penalties, and measures.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu_grader.authoring.slips import edited, slip


def sides(rng, *shape):
    """Signs, of both kinds where there is room, in an order of chance."""
    number = math.prod(shape)
    return rng.permutation(np.where(np.arange(number) % 2, 1.0, -1.0)).reshape(shape)


# 1 --------------------------------------------------------------------------------------------- the best critic


def best_critic_inputs(case, rng):
    """Log-densities at N points; hidden ones are so small that their exponentials are 0."""
    N = case["N"]
    ratio = case.get("apart", 1.0) * sides(rng, N) * rng.uniform(0.6, 2.0, N)
    log_p = case.get("offset", -2.0) - rng.uniform(0, 2, N)
    # Multiples of 1/64 are the same in single precision.
    return {
        "log_p": np.round(64 * log_p) / 64,
        "log_q": np.round(64 * (log_p - ratio)) / 64,
        "share": case["share"],
    }


def best_critic(log_p, log_q, share):
    logit = log_p - log_q + math.log(share / (1 - share))
    log_d = torch.nn.functional.logsigmoid(logit)
    log_not_d = torch.nn.functional.logsigmoid(-logit)
    return logit, log_d, log_not_d


def best_critic_bayes(log_p, log_q, share):
    data, sample = log_p + math.log(share), log_q + math.log(1 - share)
    either = torch.logaddexp(data, sample)
    return data - sample, data - either, sample - either


def best_critic_numpy(log_p, log_q, share):
    a = log_p.numpy() - log_q.numpy() + np.log(share) - np.log1p(-share)
    return a, -np.logaddexp(0, -a), -np.logaddexp(0, a)


def best_critic_loops(log_p, log_q, share):
    logits, data, sample = [], [], []
    for lp, lq in zip(log_p.tolist(), log_q.tolist(), strict=True):
        a = lp - lq + math.log(share) - math.log(1 - share)
        rest = math.log1p(math.exp(-abs(a)))
        logits.append(a)
        data.append(min(a, 0.0) - rest)
        sample.append(min(-a, 0.0) - rest)
    return logits, data, sample


_ODDS = " + math.log(share / (1 - share))"
_LOG_D = "log_d = torch.nn.functional.logsigmoid(logit)"
_LOG_NOT_D = "log_not_d = torch.nn.functional.logsigmoid(-logit)"
BEST_CRITIC = Exercise(
    name="best_critic",
    outputs=(Output("logit", ("N",)), Output("log_d", ("N",)), Output("log_not_d", ("N",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=best_critic_inputs,
    cases={
        "visible": ({"N": 5, "share": 0.25}, {"N": 1, "share": 0.625}),
        "hidden": (
            {"N": 6, "share": 0.75},
            {"N": 1, "share": 0.3},
            {"N": 4, "share": 0.4, "offset": -900.0},
            {"N": 3, "share": 0.2, "offset": -3000.0, "apart": 1400.0},
        ),
    },
    reference=best_critic,
    wrong=(
        slip(best_critic, {_ODDS: ""},
             "You took data and samples to be equally frequent. By Bayes' rule the share of data counts: the prior odds are share / (1 − share)."),
        slip(best_critic, {_ODDS: " + math.log(share)"},
             "Your prior odds are incomplete: data have the probability share, and samples 1 − share, which is not 1."),
        slip(best_critic, {_ODDS: " - math.log(1 - share)"},
             "Your prior odds are incomplete: samples have the probability 1 − share, and data share, which is not 1."),
        slip(best_critic, {_ODDS: " - math.log(share / (1 - share))"},
             "Your prior odds are upside down. The more of what the critic sees are data, the higher is the logit of “data”."),
        slip(best_critic, {"log_p - log_q +": "log_q - log_p +"},
             "Your density ratio is upside down. The logit of “data” grows where p(x) is large and q(x) is small."),
        slip(best_critic, {"log_p - log_q" + _ODDS: "log_q - log_p - math.log(share / (1 - share))"},
             "You gave the logit of “sample”. D is the probability that x is a datum."),
        slip(best_critic, {"math.log(share / (1 - share))": "share / (1 - share)"},
             "You added the prior odds themselves. A logit is the logarithm of odds: add their logarithm."),
        slip(best_critic, {"math.log(share / (1 - share))": "math.log2(share / (1 - share))"},
             "You took the logarithm of the prior odds to base 2. All is in nats here: use the natural logarithm."),
        slip(best_critic, {"log_p - log_q" + _ODDS: "log_p" + _ODDS},
             "You left q out. A critic tells data from samples: what counts is how much more likely p makes x than q."),
        slip(best_critic, {"log_p - log_q +": "(log_p - log_q).exp() +"},
             "Your logit holds p/q itself. A logit is the logarithm of odds: log p − log q, and the prior's."),
        slip(best_critic, {"log_p - log_q +": "log_p + log_q +"},
             "You added the two log-densities. The odds hold the ratio p/q, whose logarithm is a difference."),
        slip(best_critic, {"return logit, log_d,": "return torch.sigmoid(logit), log_d,"},
             "Your first value is a probability. Asked for is the logit, of which the sigmoid would be D."),
        Wrong(edited(best_critic, {"return logit, log_d, log_not_d": "return logit, log_d.exp(), log_not_d.exp()"}),
              "You returned probabilities. Asked for are their logarithms, which do not underflow.",
              variants=(edited(best_critic, {"return logit, log_d,": "return logit, log_d.exp(),"}),
                        edited(best_critic, {"return logit, log_d, log_not_d": "return logit, log_d, log_not_d.exp()"}))),
        slip(best_critic, {"return logit, log_d, log_not_d": "return logit, log_not_d, log_d"},
             "Your second and third value have changed places: first log D*, then log(1 − D*)."),
        Wrong(edited(best_critic, {"return logit, log_d, log_not_d": "return logit, -log_d, -log_not_d"}),
              "Your logarithms have the wrong sign. The logarithm of a probability is never positive.",
              variants=(edited(best_critic, {"return logit, log_d, log_not_d": "return logit, -log_d, log_not_d"}),
                        edited(best_critic, {"return logit, log_d, log_not_d": "return logit, log_d, -log_not_d"}))),
        slip(best_critic, {_LOG_NOT_D: "log_not_d = 1 - log_d"},
             "You took 1 − log D* for log(1 − D*). The two are not the same: the difference is inside the logarithm."),
        slip(best_critic, {_LOG_NOT_D: "log_not_d = -log_d"},
             "You took −log D* for log(1 − D*). 1 − D* is σ(−a): it is the logit that changes its sign."),
        slip(best_critic, {_LOG_NOT_D: "log_not_d = torch.log(1 - torch.sigmoid(logit))"},
             "Your formula for log(1 − D*) is right, but where D* rounds to 1 you take the logarithm of 0. Compute it from the logit: 1 − D* is σ(−a).",
             loses=("hidden",)),
        slip(best_critic, {_LOG_D: "log_d = torch.sigmoid(logit).log()", _LOG_NOT_D: "log_not_d = torch.log(1 - torch.sigmoid(logit))"},
             "Your formulas for the two logarithms are right, but a probability that rounds to 0 has the logarithm −∞. Compute both from the logit.",
             loses=("hidden",)),
        slip(best_critic, {_LOG_D: "log_d = (torch.sigmoid(logit) + 1e-12).log()", _LOG_NOT_D: "log_not_d = (1 - torch.sigmoid(logit) + 1e-12).log()"},
             "A small number inside your logarithm keeps it from −∞, but also from the right value, which may be −1000. Compute it from the logit.",
             loses=("hidden",)),
        slip(best_critic, {"log_p - log_q +": "torch.log(log_p.exp() / log_q.exp()) +"},
             "Your formula is right, but a density may underflow: exp(−900) is 0, and 0/0 is no number. Stay with the logarithms.",
             loses=("hidden",)),
        slip(best_critic, {_LOG_D: "logit = logit.clamp(-50, 50)\n    " + _LOG_D},
             "Your logit seems to be cut off. A critic that knows both densities may be surer than that: use it as it is.",
             loses=("hidden",)),
    ),
    alternatives=(best_critic_bayes, best_critic_numpy, best_critic_loops),
)  # fmt: skip

# 2 ------------------------------------------------------------------------------------------- the game's value


def game_inputs(case, rng):
    """Pairs of distributions over K outcomes and a critic's logits; hidden ones have zeros, or a critic that is sure."""
    B, K = case["B"], case["K"]
    p, q = rng.uniform(0.2, 1.0, (B, K)), rng.uniform(0.2, 1.0, (B, K)) ** 2
    if case.get("zeros"):
        p[:, 0], q[:, 1], p[:, 2], q[:, 2] = 0.0, 0.0, 0.0, 0.0
    size = np.round(case.get("sure", 1.0) * rng.uniform(0.4, 1.8, (B, K)), 3)
    return {
        "p": p / p.sum(axis=1, keepdims=True),
        "q": q / q.sum(axis=1, keepdims=True),
        "logit": sides(rng, B, K) * size,
    }


def game_value(p, q, logit):
    log_d = torch.nn.functional.logsigmoid(logit)
    log_not_d = torch.nn.functional.logsigmoid(-logit)
    value = (p * log_d + q * log_not_d).sum(dim=1)
    m = (p + q) / 2
    jsd = (torch.xlogy(p, p) / 2 + torch.xlogy(q, q) / 2 - torch.xlogy(m, m)).sum(dim=1)
    return value, 2 * jsd - math.log(4)


def game_by_best_critic(p, q, logit):
    value = -(p * torch.nn.functional.softplus(-logit) + q * torch.nn.functional.softplus(logit)).sum(dim=1)
    d = p / (p + q).clamp(min=1e-300 if p.dtype == torch.float64 else 1e-30)
    return value, (torch.xlogy(p, d) + torch.special.xlog1py(q, -d)).sum(dim=1)


def game_numpy(p, q, logit):
    p, q, a = p.numpy(), q.numpy(), logit.numpy()
    value = -np.einsum("bk,bk->b", p, np.logaddexp(0, -a)) - np.einsum("bk,bk->b", q, np.logaddexp(0, a))
    best = np.zeros(len(p))
    for b in range(len(p)):
        for u, v in ((p[b], q[b]), (q[b], p[b])):
            there = u > 0
            best[b] += np.sum(u[there] * np.log(u[there] / (u[there] + v[there])))
    return value, best


def game_by_entropies(p, q, logit):
    # 2 JSD = 2 H(m) - H(p) - H(q)
    entropy = [torch.special.entr(v).sum(dim=1) for v in (p, q, (p + q) / 2)]
    data = torch.minimum(logit, 0 * logit) - torch.log1p(torch.exp(-logit.abs()))
    return (p * data + q * (data - logit)).sum(dim=1), 2 * entropy[2] - entropy[0] - entropy[1] - math.log(4)


_JSD = "(torch.xlogy(p, p) / 2 + torch.xlogy(q, q) / 2 - torch.xlogy(m, m)).sum(dim=1)"
_SUMMED = "(p * log_d + q * log_not_d).sum(dim=1)"
GAME = Exercise(
    name="game_value",
    outputs=(Output("value", ("B",)), Output("best", ("B",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=game_inputs,
    cases={
        "visible": ({"B": 4, "K": 3}, {"B": 1, "K": 5}),
        "hidden": (
            {"B": 3, "K": 6},
            {"B": 4, "K": 5, "zeros": 1},
            {"B": 1, "K": 4, "zeros": 1},
            {"B": 2, "K": 4, "sure": 600.0},
        ),
    },
    reference=game_value,
    wrong=(
        slip(game_value, {_SUMMED: "(q * log_d + p * log_not_d).sum(dim=1)"},
             "Data and samples have changed places in V: log D is averaged over p, and log(1 − D) over q."),
        slip(game_value, {_SUMMED: "(p * log_d).sum(dim=1)"},
             "Your V holds data only. The critic is asked about samples, too: add the mean of log(1 − D) over q."),
        slip(game_value, {_SUMMED: "(q * log_not_d).sum(dim=1)"},
             "Your V holds samples only. The critic is asked about data, too: add the mean of log D over p."),
        slip(game_value, {_SUMMED: "(p * log_d + q * log_d).sum(dim=1)"},
             "You used log D for samples, too. Of a sample the critic should say 1 − D: log(1 − D) is averaged over q."),
        slip(game_value, {_SUMMED: "(p * log_d - q * log_d).sum(dim=1)"},
             "You took −log D for log(1 − D). 1 − D is σ(−a): it is the logit that changes its sign."),
        slip(game_value, {_SUMMED: "(log_d + log_not_d).mean(dim=1)"},
             "You gave all outcomes the same weight. The expectations are under p and under q."),
        slip(game_value, {_SUMMED: "-" + _SUMMED},
             "Your first value has the wrong sign. V is a sum of mean logarithms of probabilities: it is not positive."),
        slip(game_value, {_SUMMED: "(p * log_d + q * log_not_d).sum(dim=1) / 2"},
             "You halved V. It is the sum of two expectations, not their mean."),
        slip(game_value, {_SUMMED: "(p * log_d + q * log_not_d).mean(dim=1)"},
             "You averaged over the K outcomes. p and q are the weights already: sum."),
        slip(game_value, {_SUMMED: "(p * log_d.exp() + q * log_not_d.exp()).sum(dim=1)"},
             "You averaged the probabilities D and 1 − D. V holds their logarithms."),
        slip(game_value, {_SUMMED: "(p * log_d + q * log_not_d).sum(dim=1) / math.log(2)"},
             "Your V for the critic that is given is in bits. Use the natural logarithm: nats."),
        slip(game_value, {_SUMMED: "(p * logit - q * logit).sum(dim=1)"},
             "You averaged the logits themselves, as the Wasserstein loss does. This game's V holds log σ(a) and log σ(−a)."),
        slip(game_value, {"return value, 2 * jsd - math.log(4)": "return value, 2 * jsd"},
             "You left log 4 out. A critic that can only guess says ½ everywhere, and its V is −log 4, not 0."),
        slip(game_value, {"return value, 2 * jsd - math.log(4)": "return value, jsd - math.log(4)"},
             "You counted the JSD once. Each of the two expectations has its own KL to the mixture, and the JSD is half their sum."),
        slip(game_value, {"2 * jsd - math.log(4)": "2 * jsd - math.log(2)"},
             "You took log 2 off for log 4. Each of the two expectations takes off log 2."),
        slip(game_value, {"2 * jsd - math.log(4)": "2 * jsd + math.log(4)"},
             "You added log 4. V of the best critic is never positive: where p = q it is −log 4."),
        slip(game_value, {"2 * jsd - math.log(4)": "-2 * jsd - math.log(4)"},
             "Your JSD has the wrong sign. The more p and q differ, the easier it is for the critic: V rises from −log 4 towards 0."),
        slip(game_value, {"2 * jsd - math.log(4)": "2 * jsd / math.log(2) - 2"},
             "Your best V is in bits. Use the natural logarithm: nats."),
        slip(game_value, {"return value, 2 * jsd - math.log(4)": "return value, jsd"},
             "You returned the Jensen–Shannon divergence. Asked for is V of the best critic, of which it is a part."),
        slip(game_value, {"m = (p + q) / 2": "m = p + q"},
             "Your mixture adds up to 2: m = (p + q)/2. With p + q in its place log 4 would have been taken off already."),
        slip(game_value, {"m = (p + q) / 2": "m = (p * q).sqrt()"},
             "You mixed p and q by their geometric mean. m is (p + q)/2, what the critic is shown."),
        slip(game_value, {_JSD: _JSD.replace("sum", "mean")},
             "You averaged the JSD over the K outcomes. A divergence has probabilities for weights already: sum."),
        Wrong(edited(game_value, {"jsd = " + _JSD: "jsd = (p * (p / q).log() + q * (q / p).log()).sum(dim=1).nan_to_num(posinf=99.0) / 2"}),
              "You compared p with q directly. The JSD compares each of them with their mixture, so that it is never infinite.",
              variants=(edited(game_value, {"jsd = " + _JSD: "jsd = (p * (p / q).log()).sum(dim=1).nan_to_num(posinf=99.0)"}),
                        edited(game_value, {"jsd = " + _JSD: "jsd = (p * (p / q).log()).sum(dim=1).nan_to_num(posinf=99.0) / 2"}))),
        slip(game_value, {"return value, 2 * jsd - math.log(4)": "return value, value"},
             "You gave V of the same critic twice. The second value is that of the best critic, which p and q decide."),
        slip(game_value, {"jsd = " + _JSD: "jsd = (p * (p / m).log() + q * (q / m).log()).sum(dim=1) / 2"},
             "Your formula is right, but where a probability is 0 you multiply 0 by −∞, which is no number. Its limit is 0.",
             loses=("hidden",)),
        slip(game_value, {"jsd = " + _JSD: "jsd = ((p * (p / m).log()).nansum(dim=1) + (q * (q / m).log()).sum(dim=1).nan_to_num()) / 2"},
             "Where a probability is 0 you dropped the whole sum over q. Only the term of that outcome is 0.",
             loses=("hidden",)),
        slip(game_value, {"torch.nn.functional.logsigmoid(logit)": "torch.sigmoid(logit).log()", "torch.nn.functional.logsigmoid(-logit)": "(1 - torch.sigmoid(logit)).log()"},
             "Your formula is right, but D may round to 0 or 1, and log 0 is −∞. Compute log D and log(1 − D) from the logit.",
             loses=("hidden",)),
        slip(game_value, {"torch.nn.functional.logsigmoid(logit)": "(torch.sigmoid(logit) + 1e-12).log()", "torch.nn.functional.logsigmoid(-logit)": "(1 - torch.sigmoid(logit) + 1e-12).log()"},
             "A small number inside your logarithm keeps it from −∞, but also from the right value: log D may be −500. Compute it from the logit.",
             loses=("hidden",)),
    ),
    alternatives=(game_by_best_critic, game_numpy, game_by_entropies),
)  # fmt: skip

# 3 ---------------------------------------------------------------------------------------- losses from logits


def losses_inputs(case, rng):
    """A critic's logits on data and on samples; hidden ones may be so large that their exponentials are infinite."""
    B = case["B"]
    size = case.get("sure", 1.0)
    on_data = sides(rng, B) * rng.uniform(0.5, 2.0, B)
    on_samples = sides(rng, B) * rng.uniform(0.4, 1.8, B)
    return {"on_data": np.round(size * on_data, 3), "on_samples": np.round(size * on_samples, 3)}


def adversarial_losses(on_data, on_samples):
    critic = torch.nn.functional.softplus(-on_data) + torch.nn.functional.softplus(on_samples)
    minimax = torch.nn.functional.logsigmoid(-on_samples)
    non_saturating = -torch.nn.functional.logsigmoid(on_samples)
    least_squares = 0.5 * (on_samples - 1) ** 2
    return critic, minimax, non_saturating, least_squares


def losses_cross_entropy(on_data, on_samples):
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    ones, zeros = torch.ones_like(on_samples), torch.zeros_like(on_samples)
    as_sample = loss(on_samples, zeros, reduction="none")
    critic = loss(on_data, ones, reduction="none") + as_sample
    return critic, -as_sample, loss(on_samples, ones, reduction="none"), (on_samples - 1).square() / 2


def losses_numpy(on_data, on_samples):
    x, g = on_data.numpy(), on_samples.numpy()
    critic = np.logaddexp(0, -x) + np.logaddexp(0, g)
    return critic, -np.logaddexp(0, g), np.logaddexp(0, g) - g, g * g / 2 - g + 0.5


def losses_loops(on_data, on_samples):
    def soft(a):
        return max(a, 0.0) + math.log1p(math.exp(-abs(a)))

    x, g = on_data.tolist(), on_samples.tolist()
    return (
        [soft(-a) + soft(b) for a, b in zip(x, g, strict=True)],
        [-soft(b) for b in g],
        [soft(-b) for b in g],
        [(b - 1) ** 2 / 2 for b in g],
    )


_CRITIC = "torch.nn.functional.softplus(-on_data) + torch.nn.functional.softplus(on_samples)"
_MINIMAX = "torch.nn.functional.logsigmoid(-on_samples)"
_NON_SATURATING = "-torch.nn.functional.logsigmoid(on_samples)"
_SQUARES = "0.5 * (on_samples - 1) ** 2"
LOSSES = Exercise(
    name="adversarial_losses",
    outputs=(Output("critic", ("B",)), Output("minimax", ("B",)), Output("non_saturating", ("B",)),
             Output("least_squares", ("B",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=losses_inputs,
    cases={
        "visible": ({"B": 5}, {"B": 1}),
        "hidden": ({"B": 6}, {"B": 1, "sure": 1.5}, {"B": 3, "sure": 100.0}, {"B": 4, "sure": 2500.0}),
    },
    reference=adversarial_losses,
    wrong=(
        slip(adversarial_losses, {_CRITIC: "torch.nn.functional.softplus(on_data) + torch.nn.functional.softplus(-on_samples)"},
             "Your critic has its targets exchanged: its loss is small where D is near 1 on data and near 0 on samples."),
        slip(adversarial_losses, {_CRITIC: "torch.nn.functional.softplus(-on_data) + torch.nn.functional.softplus(-on_samples)"},
             "Your critic calls samples data. On samples it should say 0: its loss there is −log(1 − D)."),
        slip(adversarial_losses, {_CRITIC: "torch.nn.functional.softplus(-on_data)"},
             "Your critic's loss has no samples in it: such a critic would say “data” of everything."),
        slip(adversarial_losses, {_CRITIC: "torch.nn.functional.softplus(on_samples)"},
             "Your critic's loss has no data in it: such a critic would say “sample” of everything."),
        slip(adversarial_losses, {_CRITIC: "0.5 * (torch.nn.functional.softplus(-on_data) + torch.nn.functional.softplus(on_samples))"},
             "You averaged the critic's two terms. Here its loss is their sum, log 4 for a critic that says ½."),
        slip(adversarial_losses, {_CRITIC: "-torch.nn.functional.softplus(-on_data) - torch.nn.functional.softplus(on_samples)"},
             "You returned what the critic makes large, log D(x) + log(1 − D(G(z))). A loss is to be made small: change its sign."),
        slip(adversarial_losses, {_CRITIC: "on_samples - on_data"},
             "Your critic's loss is that of Wasserstein. Here the outputs are logits: −log D and −log(1 − D) are asked for."),
        slip(adversarial_losses, {_CRITIC: "0.5 * (on_data - 1) ** 2 + 0.5 * on_samples ** 2"},
             "Your critic's loss is the least-squares one. Asked for is the cross-entropy, −log D(x) − log(1 − D(G(z)))."),
        slip(adversarial_losses, {_CRITIC: "torch.nn.functional.softplus(-on_data).mean() + torch.nn.functional.softplus(on_samples)"},
             "You took the mean over the data in the critic's loss. Asked for is one value for each pair of a datum and a sample."),
        slip(adversarial_losses, {_MINIMAX: "-torch.nn.functional.logsigmoid(-on_samples)"},
             "Your minimax loss has the wrong sign. The generator makes log(1 − D(G(z))) small, the very thing that the critic makes large."),
        slip(adversarial_losses, {_MINIMAX: "torch.nn.functional.logsigmoid(on_samples)"},
             "Your minimax loss falls as the critic finds samples worse. It is log(1 − D(G(z))), which is small where D is near 1."),
        slip(adversarial_losses, {_MINIMAX: "-torch.nn.functional.logsigmoid(on_samples)"},
             "Your minimax loss is the non-saturating one. In the minimax game the generator makes log(1 − D(G(z))) small."),
        slip(adversarial_losses, {_MINIMAX: "1 - torch.nn.functional.logsigmoid(on_samples)"},
             "You took log 1 − D for log(1 − D): the 1 belongs inside the logarithm, with D."),
        slip(adversarial_losses, {_MINIMAX: "-critic"},
             "Your minimax loss has the data's term in it. It does not depend on the generator: asked for is log(1 − D(G(z))) alone."),
        slip(adversarial_losses, {_NON_SATURATING: "torch.nn.functional.logsigmoid(on_samples)"},
             "Your non-saturating loss has the wrong sign. The generator makes D(G(z)) large, so it makes −log D(G(z)) small."),
        slip(adversarial_losses, {_NON_SATURATING: "torch.nn.functional.logsigmoid(-on_samples)"},
             "Your non-saturating loss is the minimax one. It is −log D(G(z)), which is steep where D is near 0."),
        slip(adversarial_losses, {_NON_SATURATING: "-torch.nn.functional.logsigmoid(-on_samples)"},
             "Your non-saturating loss is the critic's own, −log(1 − D(G(z))): it would make samples worse. The generator wants D large."),
        slip(adversarial_losses, {_NON_SATURATING: "-torch.nn.functional.logsigmoid(on_data)"},
             "Your generator looks at data. Only the critic's output on samples depends on the generator."),
        slip(adversarial_losses, {_NON_SATURATING: "-on_samples"},
             "Your non-saturating loss is the Wasserstein one. It is −log D(G(z)), with D the sigmoid of the output."),
        slip(adversarial_losses, {"return critic, minimax, non_saturating,": "return critic, non_saturating, minimax,"},
             "Your second and third value have changed places: first the minimax loss, then the non-saturating one."),
        slip(adversarial_losses, {_SQUARES: "(on_samples - 1) ** 2"},
             "The half is missing in your least-squares loss: ½ (a − 1)²."),
        slip(adversarial_losses, {_SQUARES: "0.5 * on_samples ** 2"},
             "Your least-squares generator aims at 0, the critic's target for samples. It should make the critic say 1."),
        slip(adversarial_losses, {_SQUARES: "0.5 * (torch.sigmoid(on_samples) - 1) ** 2"},
             "You took the sigmoid in the least-squares loss. There the output itself aims at 1: it is no logit."),
        slip(adversarial_losses, {_SQUARES: "0.5 * (on_data - 1) ** 2"},
             "Your least-squares loss is the critic's term for data. The generator's looks at the output on samples."),
        slip(adversarial_losses, {_SQUARES: "0.5 * (on_samples + 1) ** 2"},
             "Your least-squares generator aims at −1. The target for data is 1 here, and the generator wants its samples to reach it."),
        slip(adversarial_losses, {_SQUARES: "0.5 * (on_samples - 1).abs()"},
             "You did not square the distance from 1 in the least-squares loss: ½ (a − 1)²."),
        slip(adversarial_losses, {_SQUARES: "0.5 * (on_data - 1) ** 2 + 0.5 * on_samples ** 2"},
             "Your fourth value is the least-squares critic's loss. Asked for is the generator's, ½ (a − 1)² on samples."),
        slip(adversarial_losses, {_CRITIC: "-torch.sigmoid(on_data).log() - (1 - torch.sigmoid(on_samples)).log()",
                                  _MINIMAX: "(1 - torch.sigmoid(on_samples)).log()", _NON_SATURATING: "-torch.sigmoid(on_samples).log()"},
             "Your formulas are right, but D may round to 0 or 1, and log 0 is −∞. Compute the losses from the logits: −log σ(a) = log(1 + exp(−a)).",
             loses=("hidden",)),
        slip(adversarial_losses, {_CRITIC: "-(torch.sigmoid(on_data) + 1e-12).log() - (1 - torch.sigmoid(on_samples) + 1e-12).log()",
                                  _MINIMAX: "(1 - torch.sigmoid(on_samples) + 1e-12).log()", _NON_SATURATING: "-(torch.sigmoid(on_samples) + 1e-12).log()"},
             "A small number inside your logarithms keeps them finite, but wrong: −log D of a logit of −2000 is 2000. Compute the losses from the logits.",
             loses=("hidden",)),
        slip(adversarial_losses, {_CRITIC: "torch.log(1 + torch.exp(-on_data)) + torch.log(1 + torch.exp(on_samples))",
                                  _MINIMAX: "-torch.log(1 + torch.exp(on_samples))", _NON_SATURATING: "torch.log(1 + torch.exp(-on_samples))"},
             "Your formulas are right, but exp(2000) is infinite. log(1 + exp(a)) is a + log(1 + exp(−a)), which is safe where a is large.",
             loses=("hidden",)),
        slip(adversarial_losses, {"critic = ": "on_data, on_samples = on_data.clamp(-20, 20), on_samples.clamp(-20, 20)\n    critic = "},
             "Your logits seem to be cut off. The losses are finite for any logit: use it as it is.",
             loses=("hidden",)),
        slip(adversarial_losses, {"return critic, minimax, non_saturating, least_squares":
                                  "return [v.mean().expand(len(on_data)) for v in (critic, minimax, non_saturating, least_squares)]"},
             "You gave the batch's mean for every example. Asked for is one value for each."),
    ),
    alternatives=(losses_cross_entropy, losses_numpy, losses_loops),
)  # fmt: skip

# 4 -------------------------------------------------------------------------------------------- the smallest GAN


def dirac_inputs(case, rng):
    """Points of the Dirac-GAN's plane; in a hidden case the critic is very sure there."""
    N, far = case["N"], case.get("far", 1.0)
    return {
        "theta": far * sides(rng, N) * rng.uniform(0.6, 1.5, N),
        "psi": far * sides(rng, N) * rng.uniform(0.7, 1.6, N),
        "step_size": case["step_size"],
        "weight": case["weight"],
    }


def dirac_step(theta, psi, step_size, weight):
    d = torch.sigmoid(psi * theta)
    new_psi = psi + step_size * (-theta * d - weight * psi)
    new_theta = theta + step_size * psi * d
    later_theta = theta + step_size * new_psi * torch.sigmoid(new_psi * theta)
    at_once = torch.stack([new_theta, new_psi], dim=1)
    in_turn = torch.stack([later_theta, new_psi], dim=1)
    growth = at_once.norm(dim=1) / torch.hypot(theta, psi)
    return at_once, in_turn, growth


def dirac_autograd(theta, psi, step_size, weight):
    def stepped(theta, psi, move_critic):
        t, s = theta.clone().requires_grad_(), psi.clone().requires_grad_()
        logit = s * t
        if move_critic:
            loss = torch.nn.functional.softplus(logit) + 0.5 * weight * s**2
            return psi - step_size * torch.autograd.grad(loss.sum(), s)[0]
        loss = -torch.nn.functional.softplus(logit)
        return theta - step_size * torch.autograd.grad(loss.sum(), t)[0]

    new_psi = stepped(theta, psi, True)
    at_once = torch.stack([stepped(theta, psi, False), new_psi], dim=1)
    in_turn = torch.stack([stepped(theta, new_psi, False), new_psi], dim=1)
    return at_once, in_turn, (at_once.square().sum(dim=1) / (theta**2 + psi**2)).sqrt()


def dirac_numpy(theta, psi, step_size, weight):
    t, s = theta.numpy(), psi.numpy()

    def sigmoid(a):
        return np.exp(-np.logaddexp(0, -a))

    u = s - step_size * (t * sigmoid(s * t) + weight * s)
    at_once = np.stack([t + step_size * s * sigmoid(s * t), u], axis=1)
    in_turn = np.stack([t + step_size * u * sigmoid(u * t), u], axis=1)
    return at_once, in_turn, np.linalg.norm(at_once, axis=1) / np.sqrt(t**2 + s**2)


def dirac_loops(theta, psi, step_size, weight):
    def sigmoid(a):
        return 1 / (1 + math.exp(-a)) if a > 0 else math.exp(a) / (1 + math.exp(a))

    once, turn, growth = [], [], []
    for t, s in zip(theta.tolist(), psi.tolist(), strict=True):
        u = s * (1 - step_size * weight) - step_size * t * sigmoid(s * t)
        v = t + step_size * s * sigmoid(s * t)
        once.append([v, u])
        turn.append([t + step_size * u * sigmoid(u * t), u])
        growth.append(math.hypot(v, u) / math.hypot(t, s))
    return once, turn, growth


_PSI = "psi + step_size * (-theta * d - weight * psi)"
_THETA = "new_theta = theta + step_size * psi * d"
_LATER = "later_theta = theta + step_size * new_psi * torch.sigmoid(new_psi * theta)"
_GROWTH = "at_once.norm(dim=1) / torch.hypot(theta, psi)"
DIRAC = Exercise(
    name="dirac_step",
    outputs=(Output("at_once", ("N", "2")), Output("in_turn", ("N", "2")), Output("growth", ("N",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=dirac_inputs,
    cases={
        "visible": ({"N": 5, "step_size": 0.8, "weight": 0.3}, {"N": 1, "step_size": 0.6, "weight": 0.4}),
        "hidden": (
            {"N": 6, "step_size": 0.7, "weight": 0.25},
            {"N": 1, "step_size": 0.9, "weight": 0.5},
            {"N": 3, "step_size": 0.8, "weight": 0.0},
            {"N": 5, "step_size": 0.5, "weight": 0.2, "far": 60.0},
        ),
    },
    reference=dirac_step,
    wrong=(
        slip(dirac_step, {_PSI: "psi + step_size * (-theta * d)"},
             "You left the penalty out of the critic's step. R1 adds γψ²/2 to its loss, so γψ to its gradient."),
        slip(dirac_step, {"- weight * psi": "+ weight * psi"},
             "Your penalty pushes ψ away from 0. It is part of what the critic makes small: descent takes γψ off."),
        slip(dirac_step, {"- weight * psi": "- 2 * weight * psi"},
             "Your penalty is twice as strong. The derivative of γψ²/2 is γψ."),
        slip(dirac_step, {"- weight * psi": "- 0.5 * weight * psi"},
             "Your penalty is half as strong. The derivative of γψ²/2 is γψ."),
        slip(dirac_step, {"- weight * psi": "- 0.5 * weight * psi**2"},
             "You took the penalty itself off. What moves ψ is its derivative, γψ."),
        slip(dirac_step, {"- weight * psi": "- weight * psi.sign()"},
             "Your penalty pulls with a force that does not depend on ψ, as a penalty |ψ| would. R1's derivative is γψ."),
        slip(dirac_step, {_PSI: "psi + step_size * (-theta * d) - weight * psi"},
             "You did not multiply the penalty's gradient by the step size. It belongs to the critic's loss, as the rest does."),
        slip(dirac_step, {"(-theta * d": "(theta * d"},
             "Your critic moves the wrong way. It makes softplus(ψθ) small, whose derivative in ψ is θσ(ψθ): descent takes it off."),
        slip(dirac_step, {_THETA: "new_theta = theta - step_size * psi * d", "theta + step_size * new_psi": "theta - step_size * new_psi"},
             "Your generator moves the wrong way. It makes −softplus(ψθ) small, so it climbs where the critic's logit grows."),
        slip(dirac_step, {_THETA: "new_theta = theta + step_size * psi", "new_psi * torch.sigmoid(new_psi * theta)": "new_psi"},
             "You left σ(ψθ) out of the generator's step. The chain rule goes through softplus, whose derivative is σ."),
        slip(dirac_step, {"(-theta * d": "(-theta"},
             "You left σ(ψθ) out of the critic's step. The chain rule goes through softplus, whose derivative is σ."),
        slip(dirac_step, {"d = torch.sigmoid(psi * theta)": "d = torch.full_like(theta, 0.5)", "torch.sigmoid(new_psi * theta)": "0.5"},
             "You took σ(ψθ) to be ½. That holds close to (0, 0) only."),
        slip(dirac_step, {"d = torch.sigmoid(psi * theta)": "d = torch.sigmoid(-psi * theta)", "torch.sigmoid(new_psi * theta)": "torch.sigmoid(-new_psi * theta)"},
             "You used σ(−ψθ). That is the slope of −log D, the non-saturating loss; in the minimax game both players have σ(ψθ)."),
        slip(dirac_step, {_THETA: "new_theta = theta + step_size * psi * torch.sigmoid(-psi * theta)",
                          "torch.sigmoid(new_psi * theta)": "torch.sigmoid(-new_psi * theta)"},
             "Your generator uses the non-saturating loss. In the minimax game it makes −softplus(ψθ) small, whose slope has σ(ψθ)."),
        slip(dirac_step, {_THETA: "new_theta = theta + step_size * new_psi * torch.sigmoid(new_psi * theta)"},
             "Your steps at once are steps in turn: there the generator must not see the critic's new ψ."),
        slip(dirac_step, {_LATER: "later_theta = new_theta"},
             "Your steps in turn are steps at once: there the generator's step is computed with the critic's new ψ."),
        slip(dirac_step, {"torch.sigmoid(new_psi * theta)": "d"},
             "In your step in turn the generator sees the new ψ as a factor, but the old one inside σ. Its gradient is taken at the new ψ."),
        slip(dirac_step, {"new_psi * torch.sigmoid(new_psi * theta)": "psi * torch.sigmoid(new_psi * theta)"},
             "In your step in turn the generator sees the new ψ inside σ, but the old one as a factor. Its gradient is taken at the new ψ."),
        slip(dirac_step, {"in_turn = torch.stack([later_theta, new_psi], dim=1)":
                          "other = psi + step_size * (-new_theta * torch.sigmoid(psi * new_theta) - weight * psi)\n    in_turn = torch.stack([new_theta, other], dim=1)"},
             "In your step in turn the generator moves first. Here the critic does, and the generator sees its new ψ."),
        slip(dirac_step, {_LATER: "later_theta = new_theta + step_size * new_psi * torch.sigmoid(new_psi * new_theta)"},
             "In your step in turn the generator moves twice. It makes one step, from the old θ, with the critic's new ψ."),
        Wrong(edited(dirac_step, {"torch.stack([new_theta, new_psi], dim=1)": "torch.stack([new_psi, new_theta], dim=1)",
                                  "torch.stack([later_theta, new_psi], dim=1)": "torch.stack([new_psi, later_theta], dim=1)"}),
              "Your columns have changed places: θ, the generator's point, comes first.",
              variants=(edited(dirac_step, {"torch.stack([new_theta, new_psi], dim=1)": "torch.stack([new_psi, new_theta], dim=1)"}),
                        edited(dirac_step, {"torch.stack([later_theta, new_psi], dim=1)": "torch.stack([new_psi, later_theta], dim=1)"}))),
        slip(dirac_step, {"return at_once, in_turn,": "return in_turn, at_once,"},
             "Your first and second value have changed places: first the step at once, then the step in turn."),
        slip(dirac_step, {_GROWTH: "in_turn.norm(dim=1) / torch.hypot(theta, psi)"},
             "Your growth is that of the step in turn. Asked for is that of the step at once."),
        slip(dirac_step, {_GROWTH: "torch.hypot(theta, psi) / at_once.norm(dim=1)"},
             "Your growth is upside down: the radius after the step, divided by the radius before it."),
        slip(dirac_step, {_GROWTH: "at_once.square().sum(dim=1) / (theta**2 + psi**2)"},
             "Your growth is of the squared radius. Take the root."),
        slip(dirac_step, {_GROWTH: "at_once.norm(dim=1) - torch.hypot(theta, psi)"},
             "Your growth is a difference. Asked for is the factor: the radius after the step, divided by the one before."),
        slip(dirac_step, {_GROWTH: "(1 + step_size**2 * d**2).sqrt()"},
             "Your growth is that of the game without a penalty. Compute it from where the step at once leads."),
        slip(dirac_step, {_GROWTH: "torch.full_like(theta, (1 + step_size**2 / 4) ** 0.5)"},
             "Your growth is that of the game near (0, 0) without a penalty. Compute it from where the step at once leads."),
        slip(dirac_step, {_GROWTH: "at_once.norm() / torch.hypot(theta, psi).norm() * torch.ones_like(theta)"},
             "You took the growth of all points together. Each of them has a radius of its own."),
        slip(dirac_step, {"d = torch.sigmoid(psi * theta)": "d = torch.exp(psi * theta) / (1 + torch.exp(psi * theta))",
                          "torch.sigmoid(new_psi * theta)": "torch.exp(new_psi * theta) / (1 + torch.exp(new_psi * theta))"},
             "Your formula is right, but exp(1600) is infinite, and ∞/∞ is no number. torch.sigmoid is safe for any number.",
             loses=("hidden",)),
    ),
    alternatives=(dirac_autograd, dirac_numpy, dirac_loops),
)  # fmt: skip

# 5 ------------------------------------------------------------------------------------- penalties on the slope


def penalty_inputs(case, rng):
    """Data, samples and a critic of one hidden layer; a hidden case has units whose slope is 0."""
    B, D, H = case["B"], case["D"], case["H"]
    weights = case.get("steep", 1.0) * sides(rng, H, D) * rng.uniform(0.5, 1.2, (H, D))
    bias = sides(rng, H) * rng.uniform(0.1, 0.5, H)
    if case.get("saturated"):
        bias[::2] += 400.0
    return {
        "x": sides(rng, B, D) * rng.uniform(0.2, 0.9, (B, D)),
        "samples": sides(rng, B, D) * rng.uniform(0.6, 1.8, (B, D)),
        "u": rng.permutation((np.arange(B) + rng.uniform(0.15, 0.4, B)) / B),
        "W": weights,
        "b": bias,
        "w": sides(rng, H) * rng.uniform(0.4, 1.3, H),
    }


def slope_penalties(x, samples, u, W, b, w):
    def slope(at):
        at = at.clone().requires_grad_()
        outputs = torch.tanh(at @ W.T + b) @ w
        (gradient,) = torch.autograd.grad(outputs.sum(), at)
        return gradient

    between = u[:, None] * x + (1 - u[:, None]) * samples
    r1 = 0.5 * slope(x).square().sum(dim=1)
    return r1, (slope(between).norm(dim=1) - 1) ** 2


def penalties_by_hand(x, samples, u, W, b, w):
    def slope(at):
        return (w * (1 - torch.tanh(at @ W.T + b) ** 2)) @ W

    between = torch.lerp(samples, x, u[:, None])
    return slope(x).norm(dim=1) ** 2 / 2, (1 - (slope(between) ** 2).sum(dim=1).sqrt()).square()


def penalties_numpy(x, samples, u, W, b, w):
    x, samples, u, W, b, w = (v.numpy() for v in (x, samples, u, W, b, w))

    def slope(at):
        return np.einsum("h,bh,hd->bd", w, 1 - np.tanh(at @ W.T + b) ** 2, W)

    between = samples + u[:, None] * (x - samples)
    return (slope(x) ** 2).sum(axis=1) / 2, (np.linalg.norm(slope(between), axis=1) - 1) ** 2


def penalties_loops(x, samples, u, W, b, w):
    r1, penalty = [], []
    for i in range(len(x)):
        norms = []
        for point in (x[i], u[i] * x[i] + (1 - u[i]) * samples[i]):
            jacobian = torch.autograd.functional.jacobian(lambda v: w @ torch.tanh(W @ v + b), point)
            norms.append(float(jacobian.norm()))
        r1.append(norms[0] ** 2 / 2)
        penalty.append((norms[1] - 1) ** 2)
    return r1, penalty


_R1 = "0.5 * slope(x).square().sum(dim=1)"
_GP = "(slope(between).norm(dim=1) - 1) ** 2"
_BETWEEN = "u[:, None] * x + (1 - u[:, None]) * samples"
PENALTIES = Exercise(
    name="slope_penalties",
    outputs=(Output("r1", ("B",)), Output("gradient_penalty", ("B",))),
    points={"visible": 1, "hidden": 2},
    make_inputs=penalty_inputs,
    cases={
        "visible": ({"B": 4, "D": 2, "H": 3}, {"B": 1, "D": 3, "H": 2}, {"B": 6, "D": 2, "H": 2}),
        "hidden": (
            {"B": 5, "D": 3, "H": 4},
            {"B": 3, "D": 1, "H": 2},
            {"B": 1, "D": 4, "H": 3},
            {"B": 3, "D": 2, "H": 4, "saturated": 1},
        ),
    },
    reference=slope_penalties,
    wrong=(
        slip(slope_penalties, {_R1: "slope(x).square().sum(dim=1)"},
             "The half is missing in your R1 penalty: ½ ‖∇a(x)‖²."),
        slip(slope_penalties, {_R1: "0.5 * slope(x).norm(dim=1)"},
             "You did not square the slope in R1: ½ ‖∇a(x)‖²."),
        slip(slope_penalties, {_R1: "0.5 * slope(x).square().mean(dim=1)"},
             "You averaged over the D coordinates in R1. A squared norm is the sum of squares."),
        slip(slope_penalties, {_R1: "0.5 * slope(x).abs().sum(dim=1).square()"},
             "You added up absolute values in R1. The norm is Euclidean: the sum of squares."),
        slip(slope_penalties, {_R1: "0.5 * slope(x).sum(dim=1).square()"},
             "You added up the D slopes before you squared. ‖∇a‖² is the sum of their squares."),
        slip(slope_penalties, {_R1: "0.5 * slope(samples).square().sum(dim=1)"},
             "Your R1 is taken at the samples. R1 acts at the data: there the slope is 0 once the samples are right."),
        slip(slope_penalties, {_R1: "0.5 * slope(between).square().sum(dim=1)"},
             "Your R1 is taken between data and samples, where WGAN-GP looks. R1 acts at the data."),
        slip(slope_penalties, {_R1: "0.5 * (slope(x).norm(dim=1) - 1) ** 2"},
             "Your R1 asks for a slope of 1. It asks for 0: ½ ‖∇a(x)‖²."),
        slip(slope_penalties, {_R1: "0.5 * slope(x).square().sum().expand(len(x))"},
             "You took the slopes of all data together in R1. Asked for is one penalty for each example."),
        slip(slope_penalties, {_R1: "(0.5 * slope(x).square().sum(dim=1)).mean().expand(len(x))"},
             "You gave the mean R1 for every example. Asked for is one penalty for each of them."),
        slip(slope_penalties, {_R1: "0.5 * (slope(x) + slope(samples)).square().sum(dim=1)"},
             "You put samples into R1 as well. It looks at the data only."),
        slip(slope_penalties, {_R1: "0.5 * (torch.tanh(x @ W.T + b) @ w).square()"},
             "You squared the critic's output in R1. What is penalised is its gradient with respect to x."),
        slip(slope_penalties, {_GP: "slope(between).norm(dim=1) ** 2"},
             "Your gradient penalty asks for a slope of 0. WGAN-GP asks for 1: (‖∇a‖ − 1)²."),
        slip(slope_penalties, {_GP: "(slope(between).square().sum(dim=1) - 1) ** 2"},
             "You compared the squared norm with 1 in the gradient penalty. WGAN-GP takes the norm itself: (‖∇a‖ − 1)²."),
        slip(slope_penalties, {_GP: "(slope(between).norm(dim=1) - 1).abs()"},
             "You did not square the distance from 1: (‖∇a‖ − 1)²."),
        slip(slope_penalties, {_GP: "0.5 * (slope(between).norm(dim=1) - 1) ** 2"},
             "Your gradient penalty has a factor ½. WGAN-GP's is (‖∇a‖ − 1)², times a weight that the loss adds later."),
        slip(slope_penalties, {_GP: "10 * (slope(between).norm(dim=1) - 1) ** 2"},
             "You multiplied the gradient penalty by 10, the weight of the original paper. Asked for is the penalty without its weight."),
        slip(slope_penalties, {_GP: "(slope(between).norm(dim=1) - 1).clamp(min=0) ** 2"},
             "You penalise slopes above 1 only. WGAN-GP's penalty is two-sided: a slope that is too small costs as well."),
        slip(slope_penalties, {_GP: "((slope(between) - 1) ** 2).sum(dim=1)"},
             "You compared each of the D slopes with 1. It is their norm that should be 1."),
        slip(slope_penalties, {_GP: "(slope(between).abs().sum(dim=1) - 1) ** 2"},
             "You added up absolute values in the gradient penalty. The norm is Euclidean: the root of the sum of squares."),
        slip(slope_penalties, {_GP: "(slope(between).square().mean(dim=1).sqrt() - 1) ** 2"},
             "You averaged over the D coordinates in the norm of the gradient penalty. It is the root of the sum of squares."),
        slip(slope_penalties, {_GP: "(slope(between).norm() - 1).expand(len(x)) ** 2"},
             "You took one norm of the whole batch's slopes. Each example has a norm of its own, over its D coordinates."),
        slip(slope_penalties, {_GP: "((slope(between).norm(dim=1) - 1) ** 2).mean().expand(len(x))"},
             "You gave the mean gradient penalty for every pair. Asked for is one penalty for each of them."),
        slip(slope_penalties, {_GP: "(slope(between).norm(dim=1).mean() - 1).expand(len(x)) ** 2"},
             "You averaged the norms before you compared them with 1. Slopes of 0 and 2 would pass: compare each with 1."),
        slip(slope_penalties, {_BETWEEN: "(1 - u[:, None]) * x + u[:, None] * samples"},
             "Your points between are mirrored: u is the weight of the datum, 1 − u that of the sample."),
        slip(slope_penalties, {_BETWEEN: "u[0] * x + (1 - u[0]) * samples"},
             "You used the same u for all pairs. Each pair has its own."),
        slip(slope_penalties, {_BETWEEN: "0.5 * x + 0.5 * samples"},
             "You took the middle of each pair. u says where between the two the slope is taken."),
        slip(slope_penalties, {_BETWEEN: "x"},
             "Your gradient penalty is taken at the data, where R1 looks. WGAN-GP looks between a datum and its sample."),
        slip(slope_penalties, {_BETWEEN: "samples"},
             "Your gradient penalty is taken at the samples. WGAN-GP looks between a datum and its sample."),
        slip(slope_penalties, {"outputs.sum()": "outputs.mean()"},
             "You took the gradient of the batch's mean: that divides each slope by the number of examples. Take that of the sum."),
        slip(slope_penalties, {_BETWEEN: "x + u[:, None] * samples"},
             "Your points are not between data and samples: the two weights must add up to 1."),
        slip(slope_penalties, {"torch.tanh(at @ W.T + b)": "torch.tanh(at @ W.T)"},
             "You left the bias out of the critic. It shifts where the hidden units are steep."),
        slip(slope_penalties, {"torch.tanh(at @ W.T + b)": "(at @ W.T + b)"},
             "Your slope is that of a linear critic, without tanh. The chain rule brings in its derivative, 1 − tanh²."),
        slip(slope_penalties, {"torch.tanh(at @ W.T + b)": "torch.sigmoid(at @ W.T + b)"},
             "Your critic has a sigmoid in its hidden layer. Here it is tanh."),
        slip(slope_penalties, {"outputs = torch.tanh(at @ W.T + b) @ w": "outputs = torch.sigmoid(torch.tanh(at @ W.T + b) @ w)"},
             "You took the slope of D = σ(a). The penalties are on the slope of the critic's output a."),
        slip(slope_penalties, {"return r1, (slope(between).norm(dim=1) - 1) ** 2": "return (slope(between).norm(dim=1) - 1) ** 2, r1"},
             "Your two values have changed places: first R1, then the gradient penalty."),
    ),
    alternatives=(penalties_by_hand, penalties_numpy, penalties_loops),
)  # fmt: skip

# 6 ------------------------------------------------------------------------------------------ Fréchet distance


def frechet_inputs(case, rng):
    """Two sets of features with other means and covariances; a hidden one has more features than rows."""
    N, M, D = case["N"], case["M"], case["D"]
    scales = np.linspace(1.0, 0.2, D)[:, None] if D > 1 else np.ones((1, 1))
    axes, other = (np.linalg.qr(rng.standard_normal((D, D)))[0] for _ in range(2))
    return {
        "x": 2.0 * rng.standard_normal((N, D)) @ (scales * axes),
        "y": sides(rng, D) * rng.uniform(0.7, 1.4, D) + 3.0 * rng.standard_normal((M, D)) @ (scales * other),
    }


def frechet_of_features(x, y):
    x, y = x.double(), y.double()

    def moments(rows):
        centred = rows - rows.mean(dim=0)
        return rows.mean(dim=0), centred.T @ centred / (len(rows) - 1)

    (mu, S), (nu, T) = moments(x), moments(y)
    values, vectors = torch.linalg.eigh(S)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    overlap = torch.linalg.eigvalsh(root @ T @ root).clamp(min=0).sqrt().sum()
    return (mu - nu).square().sum() + S.trace() + T.trace() - 2 * overlap


def frechet_product(x, y):
    """The eigenvalues of the product, which is not symmetric, are those of the symmetric form."""
    S, T = (torch.cov(v.double().T).reshape(v.shape[1], -1) for v in (x, y))
    overlap = torch.linalg.eigvals(S @ T).real.clamp(min=0).sqrt().sum()
    return ((x - y.mean(dim=0)).mean(dim=0) ** 2).sum() + torch.trace(S + T) - 2 * overlap


def frechet_singular_values(x, y):
    """The overlap is the sum of the singular values of A B', for centred rows A and B divided by √(N − 1)."""
    a, b = ((v - v.mean(axis=0)) / np.sqrt(len(v) - 1) for v in (x.numpy(), y.numpy()))
    overlap = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    means = x.numpy().mean(axis=0) - y.numpy().mean(axis=0)
    return means @ means + np.square(a).sum() + np.square(b).sum() - 2 * overlap


def frechet_roots(x, y):
    """The overlap is the sum of the singular values of the product of both roots."""
    roots, means = [], []
    for rows in (x.numpy(), y.numpy()):
        values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(rows, rowvar=False)))
        roots.append(vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T)
        means.append(rows.mean(axis=0))
    squares = sum(np.sum(v**2) for v in (*roots, means[0] - means[1]))
    return float(squares - 2 * np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum())


_OVERLAP = "torch.linalg.eigvalsh(root @ T @ root).clamp(min=0).sqrt().sum()"
_DISTANCE = "(mu - nu).square().sum() + S.trace() + T.trace() - 2 * overlap"
FRECHET = Exercise(
    name="frechet_of_features",
    outputs=(Output("distance", ()),),
    points={"visible": 1, "hidden": 2},
    make_inputs=frechet_inputs,
    cases={
        "visible": ({"N": 7, "M": 9, "D": 3}, {"N": 6, "M": 5, "D": 1}, {"N": 8, "M": 6, "D": 4}),
        "hidden": ({"N": 9, "M": 6, "D": 4}, {"N": 5, "M": 8, "D": 1}, {"N": 4, "M": 3, "D": 5}, {"N": 3, "M": 4, "D": 7}, {"N": 8, "M": 7, "D": 2}),
    },
    reference=frechet_of_features,
    wrong=(
        slip(frechet_of_features, {_DISTANCE: "S.trace() + T.trace() - 2 * overlap"},
             "You left the means out: ‖μ − μ′‖² is a part of the distance."),
        slip(frechet_of_features, {_DISTANCE: "(mu - nu).square().sum()"},
             "You compared the means only. The distance compares the covariances, too."),
        slip(frechet_of_features, {_DISTANCE: "(mu - nu).square().sum() + S.trace() + T.trace() - overlap"},
             "You took the overlap off once. The factor before (Σ^½ Σ′ Σ^½)^½ is 2: two equal Gaussians must have the distance 0."),
        slip(frechet_of_features, {_DISTANCE: "(mu - nu).square().sum() + S.trace() + T.trace()"},
             "You left the root of the product out: two equal Gaussians must have the distance 0."),
        slip(frechet_of_features, {_DISTANCE: "(mu - nu).square().sum() + S.trace() + T.trace() + 2 * overlap"},
             "You added the root of the product. It is taken off: two equal Gaussians must have the distance 0."),
        slip(frechet_of_features, {"(mu - nu).square().sum()": "(mu - nu).norm()"},
             "You did not square the distance of the means: ‖μ − μ′‖²."),
        slip(frechet_of_features, {"(mu - nu).square().sum()": "(mu - nu).square().mean()"},
             "You averaged the squared differences of the means over the features. A squared norm is their sum."),
        slip(frechet_of_features, {"return (mu - nu).square().sum() + S.trace() + T.trace() - 2 * overlap":
                                   "return ((mu - nu).square().sum() + S.trace() + T.trace() - 2 * overlap).sqrt()"},
             "You took the root of the whole. What is reported as the Fréchet distance is d², without it."),
        slip(frechet_of_features, {"(len(rows) - 1)": "len(rows)"},
             "You divided by the number of rows in the covariances. Here they are the unbiased ones: divide by one less."),
        slip(frechet_of_features, {"centred.T @ centred / (len(rows) - 1)": "centred.T @ centred"},
             "You did not divide the covariances by a number of rows: they are sums of products, not means."),
        slip(frechet_of_features, {"rows - rows.mean(dim=0)\n": "rows\n"},
             "You did not take the mean off before the covariance: yours holds second moments."),
        slip(frechet_of_features, {_OVERLAP: "(S @ T).abs().sqrt().trace()"},
             "You took roots entry by entry. The root of a matrix is a matrix whose square it is; its trace is the sum of the roots of the eigenvalues."),
        slip(frechet_of_features, {_OVERLAP: "(S @ T).trace().sqrt()"},
             "You took the root of a trace. The trace of a root is another number: the sum of the roots of the eigenvalues."),
        slip(frechet_of_features, {_OVERLAP: "(root @ T @ root).trace()"},
             "You left the outer root out: (Σ^½ Σ′ Σ^½)^½. The sum of the eigenvalues is not the sum of their roots."),
        slip(frechet_of_features, {_OVERLAP: "torch.linalg.eigvalsh(S @ T).clamp(min=0).sqrt().sum()"},
             "You used a solver for symmetric matrices on ΣΣ′, which is not symmetric: it reads one triangle only. Use Σ^½ Σ′ Σ^½, or eigvals."),
        slip(frechet_of_features, {_OVERLAP: "torch.linalg.svdvals(S @ T).sqrt().sum()"},
             "You took singular values of ΣΣ′ for its eigenvalues. The two agree for symmetric matrices, which ΣΣ′ is not."),
        slip(frechet_of_features, {"overlap = " + _OVERLAP: "other, axes = torch.linalg.eigh(T)\n    overlap = (root @ (axes * other.clamp(min=0).sqrt()) @ axes.T).trace()"},
             "You took the trace of Σ^½ Σ′^½. It agrees with the right one only if the two covariances have the same eigenvectors."),
        slip(frechet_of_features, {_OVERLAP: "(S.diag() * T.diag()).sqrt().sum()"},
             "You compared the variances of each feature alone. Covariances count, too: take the root of the matrix."),
        slip(frechet_of_features, {_OVERLAP: "(torch.linalg.eigvalsh(S) * torch.linalg.eigvalsh(T)).clamp(min=0).sqrt().sum()"},
             "You paired the eigenvalues of the two covariances by size. That disregards their directions: take those of the product."),
        slip(frechet_of_features, {_DISTANCE: "(mu - nu).square().sum() + (S - T).square().sum()"},
             "You compared the covariances entry by entry, by a squared difference. The Fréchet distance has their trace and the root of their product."),
        slip(frechet_of_features, {_DISTANCE: "(mu - nu).square().sum() + (S.trace().sqrt() - T.trace().sqrt()) ** 2"},
             "You compared the total variances only. How they are spread over directions counts as well, through (Σ^½ Σ′ Σ^½)^½."),
        slip(frechet_of_features, {"S.trace() + T.trace()": "S.sum() + T.sum()"},
             "You summed all entries of the covariances. The trace is the sum of the diagonal."),
        slip(frechet_of_features, {"S.trace() + T.trace()": "S.trace() * T.trace()"},
             "You multiplied the two traces: they are added."),
        slip(frechet_of_features, {"S.trace() + T.trace()": "2 * S.trace()"},
             "You used the trace of the first covariance twice. Each of the two has its own."),
        slip(frechet_of_features, {"root @ T @ root": "root @ S @ root"},
             "Both matrices in your product are the same. It is Σ^½ Σ′ Σ^½, with both covariances in it."),
        slip(frechet_of_features, {_OVERLAP: "torch.linalg.eigvalsh(S @ T @ S).clamp(min=0).sqrt().sum()"},
             "You used Σ where its root belongs: Σ^½ Σ′ Σ^½, not Σ Σ′ Σ."),
        slip(frechet_of_features, {_OVERLAP: _OVERLAP.replace(".clamp(min=0)", "")},
             "Your formula is right, but with few rows some eigenvalues are 0, which rounding may turn into −1e−17: its root is no number. Cut them off at 0.",
             loses=("hidden",)),
        slip(frechet_of_features, {"overlap = " + _OVERLAP: "overlap = torch.linalg.cholesky(root @ T @ root + 1e-300 * torch.eye(len(S))).trace() if len(x) > len(S) < len(y) else 0 * mu[0]"},
             "You took the Cholesky factor for the root of a matrix. Its product with its *transpose* is the matrix; its trace is another number."),
    ),
    alternatives=(frechet_product, frechet_singular_values, frechet_roots),
)  # fmt: skip

# 7 -------------------------------------------------------------------------------------- precision and recall


def neighbour_inputs(case, rng):
    """Data in two groups, and samples in one of them and elsewhere; a hidden case has one far out."""
    N, M, D = case["N"], case["M"], case["D"]
    x, samples = rng.standard_normal((N, D)), 0.8 * rng.standard_normal((M, D))
    x[N // 2 :, 0] += 4.0
    away = np.array([-1.5, -3.0, -5.0, -8.0, -12.0, 2.0])
    samples[M // 2 :, 0] += np.resize(away, M - M // 2)
    if case.get("far"):
        samples[-1] += case["far"]
    if case.get("whole"):  # points that lie on the surface of a ball, or on each other
        x, samples = np.round(1.5 * x), np.round(1.5 * samples)
        x[:3], samples[0] = 40.0, 41.0
    return {"x": x, "samples": samples, "k": case["K"]}


def precision_recall(x, samples, k):
    def inside(points, others):
        own = torch.cdist(others, others)
        radius = own.sort(dim=1).values[:, k]  # a point's nearest neighbour is itself, at 0
        return (torch.cdist(points, others) <= radius).any(dim=1)

    precise, recalled = inside(samples, x), inside(x, samples)
    return precise, recalled, precise.double().mean(), recalled.double().mean()


def neighbours_kthvalue(x, samples, k):
    def distances(a, b):
        return (a[:, None] - b[None]).square().sum(dim=2).sqrt()

    def inside(points, others):
        near = distances(others, others).fill_diagonal_(math.inf).kthvalue(k, dim=1).values
        return ((distances(others, points) - near[:, None]) <= 0).any(dim=0)

    good, found = inside(samples, x).double(), inside(x, samples).double()
    return good, found, good.mean(), found.mean()


def neighbours_numpy(x, samples, k):
    def squares(a, b):
        return np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=2)

    def inside(points, others):
        radius = np.partition(squares(others, others), k, axis=1)[:, k]
        return np.any(squares(points, others) <= radius[None], axis=1).astype(float)

    x, samples = x.numpy(), samples.numpy()
    good, found = inside(samples, x), inside(x, samples)
    return good, found, good.sum() / len(good), found.sum() / len(found)


def neighbours_loops(x, samples, k):
    def inside(points, others):
        radii = [
            sorted(math.dist(a, b) for j, b in enumerate(others) if j != i)[k - 1]
            for i, a in enumerate(others)
        ]
        return [float(any(math.dist(p, o) <= r for o, r in zip(others, radii, strict=True))) for p in points]

    good, found = inside(samples.tolist(), x.tolist()), inside(x.tolist(), samples.tolist())
    return good, found, sum(good) / len(good), sum(found) / len(found)


_RADIUS = "own.sort(dim=1).values[:, k]"
_INSIDE = "(torch.cdist(points, others) <= radius).any(dim=1)"
_BOTH = "precise, recalled = inside(samples, x), inside(x, samples)"
NEIGHBOURS = Exercise(
    name="precision_recall",
    outputs=(Output("precise", ("M",)), Output("recalled", ("N",)), Output("precision", ()), Output("recall", ())),
    points={"visible": 1, "hidden": 1},
    make_inputs=neighbour_inputs,
    cases={
        "visible": ({"N": 20, "M": 16, "D": 2, "K": 2}, {"N": 12, "M": 16, "D": 1, "K": 1}, {"N": 15, "M": 19, "D": 2, "K": 3}),
        "hidden": (
            {"N": 20, "M": 16, "D": 3, "K": 2},
            {"N": 14, "M": 18, "D": 2, "K": 1},
            {"N": 17, "M": 13, "D": 1, "K": 3},
            {"N": 16, "M": 18, "D": 2, "K": 2, "far": 50.0},
            {"N": 15, "M": 13, "D": 2, "K": 2, "whole": True},
        ),
    },
    reference=precision_recall,
    wrong=(
        slip(precision_recall, {"values[:, k]": "values[:, k - 1]"},
             "You counted each point as its own neighbour: the nearest to a point, at 0, is the point itself. The k-th neighbour comes after it."),
        slip(precision_recall, {"values[:, k]": "values[:, k + 1]"},
             "Your balls reach to neighbour k + 1. Of the sorted distances the first, 0, is the point itself."),
        slip(precision_recall, {_RADIUS: "own.sort(dim=1).values[:, 1:].mean(dim=1)"},
             "Your radius is the mean distance to all others. It is the distance to the k-th nearest neighbour."),
        slip(precision_recall, {_RADIUS: "own.sort(dim=1).values[:, 1 : k + 1].sum(dim=1)"},
             "Your radius is a sum over k neighbours. It is the distance to the k-th nearest alone."),
        slip(precision_recall, {_RADIUS: "own.sort(dim=1).values[:, -k]"},
             "Your radius is the distance to one of the farthest. Sort from near to far."),
        slip(precision_recall, {_RADIUS: "own.sort(dim=1).values[:, k].mean()"},
             "You used the same radius for all balls. Each point's ball has its own: small where points are dense."),
        slip(precision_recall, {_RADIUS: "own.sort(dim=1).values[:, k].max()"},
             "You used the largest radius for all balls. Each point's ball has its own."),
        slip(precision_recall, {"own = torch.cdist(others, others)\n": "own = torch.cdist(others, points)\n"},
             "You took the radii from the other set. A ball reaches to the k-th nearest neighbour in the point's own set."),
        slip(precision_recall, {_INSIDE: "(torch.cdist(points, others) <= radius).all(dim=1)"},
             "You asked that a point is in all balls. One of them is enough: the region is their union."),
        slip(precision_recall, {_INSIDE: "(torch.cdist(points, others) > radius).all(dim=1)"},
             "You marked what lies outside. 1 stands for a point that lies in at least one ball."),
        slip(precision_recall, {_INSIDE: "(torch.cdist(points, others).square() <= radius).any(dim=1)"},
             "You compared squared distances with radii. Square both, or neither."),
        slip(precision_recall, {"own = torch.cdist(others, others)\n": "own = torch.cdist(others, others, p=1)\n", "cdist(points, others)": "cdist(points, others, p=1)"},
             "You added up absolute differences. Distances are Euclidean."),
        slip(precision_recall, {"own = torch.cdist(others, others)\n": "own = torch.cdist(points, points)\n",
                                _INSIDE: "(torch.cdist(points, others) <= radius[:, None]).any(dim=1)"},
             "You drew the balls about the wrong set: precision asks whether a sample lies in a ball about a *datum*, recall the reverse."),
        slip(precision_recall, {_INSIDE: "(lambda d: d.min(dim=1).values <= radius[d.argmin(dim=1)])(torch.cdist(points, others))"},
             "You looked at the nearest point's ball only. A point may lie in the larger ball of one that is farther away."),
        slip(precision_recall, {_BOTH: "precise, recalled = inside(x, samples), inside(samples, x)"},
             "You exchanged the two. Precision is the share of samples that lie where data are; recall that of data where samples are."),
        slip(precision_recall, {"precise.double().mean(), recalled.double().mean()": "recalled.double().mean(), precise.double().mean()"},
             "Your two shares have changed places: precision is about samples, recall about data."),
        slip(precision_recall, {"precise.double().mean(), recalled.double().mean()": "precise.double().sum(), recalled.double().sum()"},
             "You returned numbers of points. Precision and recall are shares, between 0 and 1."),
        slip(precision_recall, {"precise.double().mean(), recalled.double().mean()": "precise.double().sum() / len(x), recalled.double().sum() / len(samples)"},
             "You divided by the size of the other set. Precision is a share of the samples, recall one of the data."),
        slip(precision_recall, {"precise.double().mean(), recalled.double().mean()": "1 - precise.double().mean(), 1 - recalled.double().mean()"},
             "You returned the shares of what lies outside. Precision and recall are the shares inside."),
        slip(precision_recall, {_INSIDE: "(torch.cdist(points, others) < radius).any(dim=1)"},
             "Your balls have no surface. A point whose distance is exactly the radius lies inside: ≤, not <.", loses=("hidden",)),
        slip(precision_recall, {_RADIUS: "own.masked_fill(own == 0, math.inf).sort(dim=1).values[:, k - 1]"},
             "You left out all neighbours at distance 0. Only the point itself is left out: another point in the same place is a neighbour.", loses=("hidden",)),
    ),
    alternatives=(neighbours_kthvalue, neighbours_numpy, neighbours_loops),
)  # fmt: skip

# Absent while this is graded: it is what students are asked to write.
SEALED = ("gan", "metrics")

EXERCISES = (BEST_CRITIC, GAME, LOSSES, DIRAC, PENALTIES, FRECHET, NEIGHBOURS)

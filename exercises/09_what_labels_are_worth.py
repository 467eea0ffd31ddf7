"""Labels: the bounds L and U, the objective, the layer that is told the class, analogies, EM with labels in part.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu_grader.authoring.slips import edited, slip


def uneven(rng, C):
    """Log-probabilities of C classes, all different."""
    weights = rng.permutation(np.arange(1.0, C + 1)) + rng.uniform(0, 0.5, C)
    return np.log(weights / weights.sum())


def sided(rng, *shape):
    """Numbers on either side of 0, none near it."""
    sides = np.where(np.arange(math.prod(shape)).reshape(shape) % 2, 1.0, -1.0)
    return sides * rng.uniform(0.3, 0.9, shape)


# 1 ------------------------------------------------------------------------------------ the bound with a label


def labelled_inputs(case, rng):
    """What a decoder says of S draws, and what an encoder gave, for B images with their labels."""
    S, B, K, C = case["S"], case["B"], case["K"], case["C"]
    return {
        "log_likelihood": -20 + 3 * rng.standard_normal((S, B)),
        "mu": rng.choice([-1.0, 1.0], (B, K)) * rng.uniform(1.1, 2.3, (B, K)),
        "log_sigma": case.get("spread", 1.0) * sided(rng, B, K),
        "class_log_prior": uneven(rng, C),
        "y": (rng.integers(C) + np.arange(B)) % C,
    }


def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    reconstruction = log_likelihood.mean(dim=0)
    kl = (0.5 * (mu**2 + (2 * log_sigma).exp() - 1) - log_sigma).sum(dim=1)
    return class_log_prior[y] + reconstruction - kl


def labelled_torch(log_likelihood, mu, log_sigma, class_log_prior, y):
    q = torch.distributions.Normal(mu, log_sigma.exp())
    p = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
    kl = torch.distributions.kl_divergence(q, p).sum(dim=1)
    return class_log_prior.gather(0, y) + (log_likelihood - kl).mean(dim=0)


def labelled_numpy(log_likelihood, mu, log_sigma, class_log_prior, y):
    mu, s = mu.numpy(), log_sigma.numpy()
    kl = -0.5 * np.sum(1 + 2 * s - mu**2 - np.exp(2 * s), axis=1)
    return class_log_prior.numpy()[y.numpy()] + log_likelihood.numpy().mean(axis=0) - kl


def labelled_loops(log_likelihood, mu, log_sigma, class_log_prior, y):
    result = []
    for b in range(len(y)):
        kl = sum(
            0.5 * (m * m + math.exp(2 * s) - 1) - s
            for m, s in zip(mu[b].tolist(), log_sigma[b].tolist(), strict=True)
        )
        result.append(float(class_log_prior[int(y[b])]) + float(log_likelihood[:, b].mean()) - kl)
    return result


LABELLED = Exercise(
    name="labelled_bound",
    outputs=(Output("bound", ("B",)),),
    points={"visible": 1, "hidden": 1},
    make_inputs=labelled_inputs,
    cases={
        "visible": ({"S": 3, "B": 5, "K": 2, "C": 4}, {"S": 2, "B": 1, "K": 3, "C": 3}),
        "hidden": (
            {"S": 4, "B": 6, "K": 3, "C": 5},
            {"S": 2, "B": 3, "K": 2, "C": 4, "spread": 3.0},
            {"S": 1, "B": 2, "K": 1, "C": 3},
        ),
    },
    reference=labelled_bound,
    wrong=(
        slip(
            labelled_bound,
            {"class_log_prior[y] + reconstruction": "reconstruction"},
            "You left log p(y) out. What is bounded is the joint density log p(x, y), and the label has a probability, too.",
        ),
        slip(
            labelled_bound,
            {"class_log_prior[y] +": "class_log_prior[y].exp() +"},
            "You added p(y) itself. A bound on a log-density is a sum of logarithms: log p(y).",
        ),
        slip(
            labelled_bound,
            {"class_log_prior[y] +": "-class_log_prior[y] +"},
            "You took log p(y) off. p(x, y) = p(y) p(x|y): its logarithm is added, and lowers the bound, since it is negative.",
        ),
        slip(
            labelled_bound,
            {"reconstruction - kl": "reconstruction + kl"},
            "You added the KL. A code that tells much costs much: the bound takes KL(q(z|x,y) ‖ p(z)) off.",
        ),
        slip(
            labelled_bound,
            {"- log_sigma).sum(dim=1)": "- log_sigma).mean(dim=1)"},
            "You averaged the KL over the K entries of the code. Independent entries add up.",
        ),
        slip(
            labelled_bound,
            {"log_likelihood.mean(dim=0)": "log_likelihood.sum(dim=0)"},
            "You added up the S draws. They estimate one expectation: take their mean.",
        ),
        slip(
            labelled_bound,
            {"log_likelihood.mean(dim=0)": "log_likelihood.logsumexp(dim=0) - math.log(len(log_likelihood))"},
            "You averaged p(x|y,z) before taking the logarithm. The bound holds the expectation of log p(x|y,z).",
        ),
        slip(
            labelled_bound,
            {"log_likelihood.mean(dim=0)": "log_likelihood[0]"},
            "You used the first draw alone. The expectation is estimated by the mean over all S draws.",
        ),
        slip(
            labelled_bound,
            {"(2 * log_sigma).exp()": "log_sigma.exp()"},
            "Your KL has σ where σ² belongs: E[z²] = μ² + σ², and σ² is exp(2 log σ).",
        ),
        slip(
            labelled_bound,
            {"- log_sigma).sum": "+ log_sigma).sum"},
            "Your KL has the wrong sign at log σ: a narrow q costs more.",
        ),
        slip(
            labelled_bound,
            {"0.5 * (mu**2": "(mu**2"},
            "The half before the bracket is missing in your KL: ½ (μ² + σ² − 1) − log σ.",
        ),
        slip(
            labelled_bound,
            {".exp() - 1)": ".exp())"},
            "Your KL is not 0 where q is the prior: you left out the 1 in ½ (μ² + σ² − 1) − log σ.",
        ),
        Wrong(
            edited(labelled_bound, {"mu**2 + (2": "mu + (2"}),
            "You did not square μ in the KL: E[z²] = μ² + σ².",
            variants=(edited(labelled_bound, {"mu**2 + (2": "mu.abs() + (2"}),),
        ),
        slip(
            labelled_bound,
            {"class_log_prior[y] +": "math.log(1 / len(class_log_prior)) +"},
            "You took all classes to be equally likely. class_log_prior says how likely each is: use its entry for y.",
        ),
        slip(
            labelled_bound,
            {"class_log_prior[y] +": "class_log_prior[0] +"},
            "You added the same log p(y) to every image, that of the first class. Each image has its own label.",
        ),
        slip(
            labelled_bound,
            {
                "return class_log_prior[y] + reconstruction - kl": "return kl - reconstruction - class_log_prior[y]"
            },
            "You returned the negative. Asked for is the bound itself; a loss changes its sign later.",
        ),
        slip(
            labelled_bound,
            {"reconstruction - kl": "reconstruction - kl.mean()"},
            "You took the batch's mean KL off every image. Each has a KL of its own.",
        ),
        slip(
            labelled_bound,
            {"- 1) - log_sigma)": "- 1) - 0.5 * log_sigma)"},
            "You took ½ log σ off in the KL. It is ½ log σ², which is log σ.",
        ),
        slip(
            labelled_bound,
            {"kl = (0.5": "log_sigma = log_sigma.clamp(-1, 1)\n    kl = (0.5"},
            "Your log σ seems to be cut off. An encoder may be much surer than that: use log σ as it is.",
            loses=("hidden",),
        ),
        slip(
            labelled_bound,
            {"reconstruction - kl": "reconstruction"},
            "You left the KL out. What the code tells about x has a price: the bound takes KL(q(z|x,y) ‖ p(z)) off.",
        ),
        slip(
            labelled_bound,
            {"reconstruction - kl": "reconstruction - 2 * kl"},
            "You took off twice the KL: is the ½ before μ² + σ² − 1 − 2 log σ missing?",
        ),
        slip(
            labelled_bound,
            {"(2 * log_sigma).exp()": "log_sigma.exp()", "- 1) - log_sigma)": "- 1) - 0.5 * log_sigma)"},
            "You took log_sigma for log σ². It is log σ: σ² is exp(2 log σ), and log σ² is 2 log σ.",
        ),
        slip(
            labelled_bound,
            {"(2 * log_sigma).exp()": "log_sigma**2"},
            "You squared log σ. The KL holds σ² itself, which is exp(2 log σ).",
        ),
        slip(
            labelled_bound,
            {
                "0.5 * (mu**2 + (2 * log_sigma).exp() - 1) - log_sigma": "0.5 * ((mu**2 + 1) * (-2 * log_sigma).exp() - 1) + log_sigma"
            },
            "You computed the KL in the other direction, from N(0, I) to q. The expectation is under q(z|x,y).",
        ),
        slip(
            labelled_bound,
            {".sum(dim=1)": ".sum()"},
            "You took the KL of the whole batch off every image. Each has a KL of its own: sum over the code's K entries.",
        ),
        Wrong(
            edited(labelled_bound, {"class_log_prior[y]": "class_log_prior[y - 1]"}),
            "You added log p of a class next to the label's. Labels count from 0, as indices do.",
            variants=(
                edited(
                    labelled_bound, {"class_log_prior[y]": "class_log_prior[(y + 1) % len(class_log_prior)]"}
                ),
            ),
        ),
    ),
    alternatives=(labelled_torch, labelled_numpy, labelled_loops),
)

# 2 --------------------------------------------------------------------------------- the bound without a label


def unlabelled_inputs(case, rng):
    """The bounds L(x, y) of B images with C classes, and a classifier's logits; hidden ones may be very sure."""
    B, C = case["B"], case["C"]
    logits = 1.5 * rng.standard_normal((B, C)) + rng.permutation(np.arange(C)) * 0.7
    logits[:, 0] -= case.get("sure", 0.0)
    return {
        "bounds": case.get("offset", -12.0)
        + 2 * rng.standard_normal((B, C))
        - case.get("apart", 0.0) * np.arange(C),
        "logits": logits + rng.uniform(1, 2, (B, 1)),
    }


def unlabelled_bound(bounds, logits):
    log_q = logits.log_softmax(dim=1)
    return (log_q.exp() * (bounds - log_q)).sum(dim=1)


def unlabelled_torch(bounds, logits):
    q = torch.distributions.Categorical(logits=logits)
    return (q.probs * bounds).sum(dim=1) + q.entropy()


def unlabelled_numpy(bounds, logits):
    a = logits.numpy() - logits.numpy().max(axis=1, keepdims=True)
    log_q = a - np.log(np.exp(a).sum(axis=1, keepdims=True))
    return np.einsum("bc,bc->b", np.exp(log_q), bounds.numpy() - log_q)


def unlabelled_by_divergence(bounds, logits):
    log_q = logits - logits.logsumexp(dim=1, keepdim=True)
    log_s = bounds.log_softmax(dim=1)
    return bounds.logsumexp(dim=1) - (log_q.exp() * (log_q - log_s)).sum(dim=1)


_AVERAGE = "(log_q.exp() * (bounds - log_q)).sum(dim=1)"
_ENTROPY = " - (log_q.exp() * log_q).sum(dim=1)"
UNLABELLED = Exercise(
    name="unlabelled_bound",
    outputs=(Output("bound", ("B",)),),
    points={"visible": 1, "hidden": 2},
    make_inputs=unlabelled_inputs,
    cases={
        "visible": ({"B": 4, "C": 3}, {"B": 1, "C": 5}),
        "hidden": ({"B": 3, "C": 6}, {"B": 1, "C": 4}, {"B": 5, "C": 3, "sure": 2000.0}),
    },
    reference=unlabelled_bound,
    wrong=(
        slip(unlabelled_bound, {"(bounds - log_q)": "(bounds + log_q)"},
             "You took the entropy off. H(q) = −Σ q log q is added: it pays for not being sure."),
        slip(unlabelled_bound, {"(bounds - log_q)": "bounds"},
             "You left the entropy of q(y|x) out. It is the expectation of −log q(y|x): the joint density is divided by q(y|x)."),
        Wrong(edited(unlabelled_bound, {_AVERAGE: "bounds.gather(1, log_q.argmax(dim=1, keepdim=True))[:, 0]"}),
              "You took the most probable class for the average over all. The sum over y is exact, and tells q(y|x) about the other classes.",
              variants=(edited(unlabelled_bound, {_AVERAGE: "bounds.gather(1, log_q.argmax(dim=1, keepdim=True))[:, 0]" + _ENTROPY}),)),
        Wrong(edited(unlabelled_bound, {_AVERAGE: "bounds.max(dim=1).values"}),
              "You took the largest of the bounds. U averages them with the weights q(y|x), and adds the entropy.",
              variants=(edited(unlabelled_bound, {_AVERAGE: "bounds.max(dim=1).values" + _ENTROPY}),)),
        slip(unlabelled_bound, {"logits.log_softmax(dim=1)": "logits.log_softmax(dim=0)"},
             "Your softmax is over the images. q(y|x) adds up to 1 over the classes of one image: along the second dimension."),
        slip(unlabelled_bound, {").sum(dim=1)": ").mean(dim=1)"},
             "You averaged over the classes. q(y|x) is the weight already: sum."),
        slip(unlabelled_bound, {").sum(dim=1)": ").sum(dim=0)"},
             "You summed over the images. There is one bound an image: sum over its classes."),
        slip(unlabelled_bound, {"return (log_q.exp() * (bounds - log_q)).sum(dim=1)": "return bounds.logsumexp(dim=1)"},
             "You gave the bound of the best q(y|x), the log-sum-exp of the bounds. Asked for is that of the q(y|x) that is given."),
        slip(unlabelled_bound, {"return (log_q.exp() *": "return (bounds.softmax(dim=1) *"},
             "You averaged with the softmax of the bounds. The expectation is under q(y|x), the classifier's."),
        slip(unlabelled_bound, {"log_q.exp() *": "log_q *"},
             "You weighted by log q. The weights of an expectation are probabilities: q(y|x)."),
        slip(unlabelled_bound, {"log_q = logits.log_softmax(dim=1)": "log_q = torch.nn.functional.logsigmoid(logits)"},
             "You took a sigmoid of each logit. The classes exclude each other: q(y|x) is a softmax."),
        slip(unlabelled_bound, {"(bounds - log_q)": "(bounds - log_q / math.log(2))"},
             "Your entropy is in bits, the bounds are in nats. Use the natural logarithm for both."),
        slip(unlabelled_bound, {"(log_q.exp() * (bounds - log_q)).sum(dim=1)": "(log_q.exp() * bounds).sum(dim=1) - (log_q.exp() * log_q).sum(dim=1).mean()"},
             "You added the batch's mean entropy to every image. Each image has its own."),
        slip(unlabelled_bound, {"(bounds - log_q)": "(bounds - log_q - math.log(bounds.shape[1]))"},
             "You took log C off. log p(y) is part of L(x, y) already."),
        slip(unlabelled_bound, {"return (log_q": "return -(log_q"},
             "You returned the negative. Asked for is the bound itself."),
        slip(unlabelled_bound, {"(bounds - log_q)": "(bounds.exp() - log_q)"},
             "You averaged exp(L). U holds the expectation of L itself; the logarithm is inside."),
        slip(unlabelled_bound, {"(log_q.exp() * (bounds - log_q)).sum(dim=1)": "bounds.mean(dim=1) - (log_q.exp() * log_q).sum(dim=1)"},
             "You gave all classes the same weight. The bounds are averaged with the weights q(y|x)."),
        slip(unlabelled_bound, {"log_q = logits.log_softmax(dim=1)": "log_q = logits.softmax(dim=1).log()"},
             "Your formula is right, but a q(y|x) that underflows to 0 has the logarithm −∞, and 0 · ∞ is no number. You need log q "
             "from the logits directly.", loses=("hidden",)),
        Wrong(edited(unlabelled_bound, {_AVERAGE: "(log_q + bounds).logsumexp(dim=1)"}),
              "You took the logarithm of an average of exp(L). U averages L itself, which is a logarithm already.",
              variants=(edited(unlabelled_bound, {_AVERAGE: "(log_q + bounds).logsumexp(dim=1)" + _ENTROPY}),)),
        slip(unlabelled_bound, {"(bounds - log_q)": "(bounds - logits)"},
             "You used the logits for log q(y|x) in the entropy. They are not normalised: take a log-softmax."),
        slip(unlabelled_bound, {_AVERAGE: "(log_q.exp() * bounds).sum(dim=1) + math.log(bounds.shape[1])"},
             "You added log C, the entropy of a classifier that knows nothing. Asked for is that of q(y|x)."),
        Wrong(edited(unlabelled_bound, {_AVERAGE: "(log_q.exp() * bounds).sum(dim=1) - (log_q.exp() * log_q.exp().log()).sum(dim=1).nan_to_num()"}),
              "Where some q(y|x) is 0, you replaced the whole sum, which is no number, by 0. Only the term of that class is 0: the "
              "others count.", loses=("hidden",),
              variants=(edited(unlabelled_bound, {_AVERAGE: "(log_q.exp() * (bounds - log_q.exp().log())).sum(dim=1).nan_to_num()"}),)),
    ),
    alternatives=(unlabelled_torch, unlabelled_numpy, unlabelled_by_divergence),
)  # fmt: skip

# 3 ------------------------------------------------------------------------------------ the best q, and what others lose


def best_inputs(case, rng):
    """As for U, with offsets that differ from image to image."""
    inputs = unlabelled_inputs(case, rng)
    inputs["bounds"] = inputs["bounds"] + 3 * np.arange(case["B"])[:, None]
    return inputs


def best_classifier(bounds, logits):
    best = bounds.logsumexp(dim=1)
    log_s = bounds - best[:, None]
    log_q = logits.log_softmax(dim=1)
    return best, log_s, (log_q.exp() * (log_q - log_s)).sum(dim=1)


def best_torch(bounds, logits):
    s, q = torch.distributions.Categorical(logits=bounds), torch.distributions.Categorical(logits=logits)
    return bounds.logsumexp(dim=1), bounds.log_softmax(dim=1), torch.distributions.kl_divergence(q, s)


def best_numpy(bounds, logits):
    L, a = bounds.numpy(), logits.numpy()
    top = L.max(axis=1, keepdims=True)
    best = top + np.log(np.exp(L - top).sum(axis=1, keepdims=True))
    log_q = a - np.logaddexp.reduce(a, axis=1)[:, None]
    return best[:, 0], L - best, (np.exp(log_q) * (log_q - L + best)).sum(axis=1)


def best_by_difference(bounds, logits):
    log_q = logits.log_softmax(dim=1)
    u = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    return bounds.logsumexp(dim=1), bounds.log_softmax(dim=1), bounds.logsumexp(dim=1) - u


_GAP = "(log_q.exp() * (log_q - log_s)).sum(dim=1)"
BEST = Exercise(
    name="best_classifier",
    outputs=(Output("best", ("B",)), Output("log_s", ("B", "C")), Output("gap", ("B",))),
    points={"visible": 1, "hidden": 1},
    make_inputs=best_inputs,
    cases={
        "visible": ({"B": 4, "C": 3}, {"B": 1, "C": 4}),
        "hidden": (
            {"B": 3, "C": 5}, {"B": 1, "C": 3}, {"B": 2, "C": 4, "offset": -1500.0}, {"B": 4, "C": 3, "sure": 2000.0},
            {"B": 2, "C": 3, "apart": 150.0},
        ),
    },
    reference=best_classifier,
    wrong=(
        slip(best_classifier, {"bounds.logsumexp(dim=1)": "bounds.max(dim=1).values"},
             "You took the largest bound for log Σ exp(L), which is the best U, and what log s takes off: the other classes count."),
        slip(best_classifier, {"bounds.logsumexp(dim=1)": "bounds.logsumexp(dim=1) - math.log(bounds.shape[1])"},
             "You took the logarithm of a mean. p(x) is the sum of p(x, y) over the classes: no log C is taken off."),
        slip(best_classifier, {"bounds.logsumexp(dim=1)": "bounds.logsumexp(dim=1).mean().expand(len(bounds))"},
             "You gave every image the batch's mean. Each image has a bound of its own, and a softmax of its own."),
        slip(best_classifier, {"bounds.logsumexp(dim=1)": "bounds.mean(dim=1)"},
             "You averaged the bounds. The best U is log Σ exp(L)."),
        slip(best_classifier, {"log_s = bounds - best[:, None]": "log_s = bounds"},
             "Your log s does not add up to 1 after exp: you did not normalise it, by taking log Σ exp(L) off."),
        slip(best_classifier, {"return best, log_s,": "return best, log_s.exp(),"},
             "You returned the probabilities s. Asked for is log s, which does not underflow."),
        slip(best_classifier, {"return best, log_s,": "return best, -log_s,"},
             "Your log s has the wrong sign: logarithms of probabilities are not positive."),
        slip(best_classifier, {"(log_q - log_s)": "(log_s - log_q)"},
             "Your gap has the wrong sign: no q(y|x) is better than the best, so what is lost is not negative."),
        slip(best_classifier, {"log_q.exp() * (log_q - log_s)": "log_s.exp() * (log_s - log_q)"},
             "You computed KL(s ‖ q). What U loses is KL(q ‖ s): its expectation is under q(y|x)."),
        slip(best_classifier, {"(log_q - log_s)).sum(dim=1)": "(log_q - log_s)).mean(dim=1)"},
             "You averaged over the classes. A KL is an expectation, with the weights q: sum."),
        slip(best_classifier, {"logits.log_softmax(dim=1)": "logits.log_softmax(dim=0)"},
             "Your softmax is over the images. q(y|x) adds up to 1 over the classes of one image."),
        slip(best_classifier, {"(log_q - log_s)": "log_q"},
             "Your gap is Σ q log q, the negative entropy. You left log s out: KL(q ‖ s) compares the two."),
        slip(best_classifier, {"(log_q - log_s)": "-log_s"},
             "Your gap is the cross-entropy of q and s. You left the entropy out: a KL is 0 for q = s."),
        slip(best_classifier, {"(log_q.exp() * (log_q - log_s)).sum": "(log_q.exp() - log_s.exp()).square().sum"},
             "You measured a squared distance. What U loses is KL(q ‖ s), in nats."),
        slip(best_classifier, {"log_q.exp() * (log_q - log_s)": "log_q - log_s"},
             "You summed log q − log s without weights. A KL is an expectation under q: weigh by q(y|x)."),
        slip(best_classifier, {"bounds.logsumexp(dim=1)": "bounds.exp().sum(dim=1).log()"},
             "Your formula is right, but exp(−1500) is 0 in floating point. You have to take the largest bound out before exp.",
             loses=("hidden",)),
        slip(best_classifier, {"log_s = bounds - best[:, None]": "log_s = bounds.log_softmax(dim=0)"},
             "Your s adds up to 1 over the images. It is a distribution over the classes of one image."),
        slip(best_classifier, {"(log_q - log_s)": "(logits - log_s)"},
             "You used the logits for log q(y|x) in the gap. They are not normalised: take a log-softmax."),
        slip(best_classifier, {"return best, log_s,": "return best, log_q,"},
             "You returned log q(y|x), of the classifier that is given. log s is that of the best one, from the bounds."),
        slip(best_classifier, {"return best, log_s,": "return " + _AVERAGE + ", log_s,"},
             "You returned U of the q(y|x) that is given. Asked for is the largest U, which the best one reaches."),
        slip(best_classifier, {"(log_q - log_s)).sum(dim=1)": "(log_q - log_s)).sum(dim=1) / math.log(2)"},
             "Your gap is in bits, the bounds are in nats. Use the natural logarithm for both."),
        Wrong(edited(best_classifier, {_GAP: _GAP + ".mean().expand(len(bounds))"}),
              "You gave every image the same gap, computed from the whole batch. Each image has its own: sum over its classes alone.",
              variants=(edited(best_classifier, {_GAP: _GAP + ".sum().expand(len(bounds))"}),
                        edited(best_classifier, {_GAP: _GAP + ".mean().expand(len(bounds)) / bounds.shape[1]"}))),
        slip(best_classifier, {"logits.log_softmax(dim=1)": "logits.softmax(dim=1).log()"},
             "Your formula is right, but a q(y|x) that underflows to 0 has the logarithm −∞, and 0 · ∞ is no number. You need log q "
             "from the logits directly.", loses=("hidden",)),
    ),
    alternatives=(best_torch, best_numpy, best_by_difference),
)  # fmt: skip

# 4 ---------------------------------------------------------------------------------------------- the objective


def objective_inputs(case, rng):
    """Bounds and logits of B images, some with a label and some without (−1); hidden ones have class 0 among them, or a classifier that rules it out."""
    B, C = case["B"], case["C"]
    inputs = unlabelled_inputs(case, rng)
    y = np.where(np.arange(B) % 2, -1, (case["first"] + np.arange(B)) % C)
    y = np.where(y == 0, case["first"], y)
    return {**inputs, "y": y, "alpha": case["alpha"]}


def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = logits.log_softmax(dim=1)
    unlabelled = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = (bounds + alpha * log_q).gather(1, own)[:, 0]
    return torch.where(y >= 0, labelled, unlabelled)


def objective_numpy(bounds, logits, y, alpha):
    L, a, y = bounds.numpy(), logits.numpy(), y.numpy()
    log_q = a - np.logaddexp.reduce(a, axis=1)[:, None]
    result = (np.exp(log_q) * (L - log_q)).sum(axis=1)
    known = y >= 0
    result[known] = L[known, y[known]] + alpha * log_q[known, y[known]]
    return result


def objective_loop(bounds, logits, y, alpha):
    result = []
    for L, a, label in zip(bounds, logits, y.tolist(), strict=True):
        q = torch.distributions.Categorical(logits=a)
        if label == -1:
            result.append((q.probs * L).sum() + q.entropy())
        else:
            result.append(L[label] - alpha * torch.nn.functional.cross_entropy(a, torch.tensor(label)))
    return torch.stack(result)


def objective_one_hot(bounds, logits, y, alpha):
    C = bounds.shape[1]
    known = torch.nn.functional.one_hot(y + 1, C + 1)[:, 1:].to(bounds)
    log_q = logits - logits.logsumexp(dim=1, keepdim=True)
    free = 1 - known.sum(dim=1)
    weights = known + free[:, None] * log_q.exp()
    return (weights * bounds).sum(dim=1) + ((alpha * known - free[:, None] * log_q.exp()) * log_q).sum(dim=1)


_LABELLED = "(bounds + alpha * log_q).gather(1, own)[:, 0]"
_WHERE = "return torch.where(y >= 0, labelled, unlabelled)"
OBJECTIVE = Exercise(
    name="semi_supervised_objective",
    outputs=(Output("objective", ("B",)),),
    points={"visible": 1, "hidden": 2},
    make_inputs=objective_inputs,
    cases={
        "visible": ({"B": 5, "C": 3, "first": 2, "alpha": 3.0}, {"B": 1, "C": 4, "first": 1, "alpha": 2.0}),
        "hidden": (
            {"B": 7, "C": 4, "first": 0, "alpha": 1.5},
            {"B": 1, "C": 3, "first": 0, "alpha": 4.0},
            {"B": 4, "C": 5, "first": 3, "alpha": 0.5, "sure": 2000.0},
            {"B": 3, "C": 4, "first": 0, "alpha": 1.5, "sure": 2000.0},
        ),
    },
    reference=semi_supervised_objective,
    wrong=(
        slip(semi_supervised_objective, {"labelled, unlabelled)": "labelled, unlabelled + alpha * log_q.max(dim=1).values)"},
             "You gave images without a label the term with α, too. It is for labels that are known: for a guess it only makes q surer of itself."),
        slip(semi_supervised_objective, {"alpha * log_q": "log_q"},
             "You left α out: log q(y|x) of the label counts α times."),
        slip(semi_supervised_objective, {"bounds + alpha": "bounds - alpha"},
             "You took α log q off, which rewards a classifier for being wrong. It is added."),
        slip(semi_supervised_objective, {"bounds + alpha * log_q": "bounds"},
             "You left the term with α out: without it labels teach q(y|x) nothing, as L(x, y) does not hold it."),
        slip(semi_supervised_objective, {"alpha * log_q": "alpha * log_q.exp()"},
             "You added α q(y|x). The term holds its logarithm."),
        slip(semi_supervised_objective, {"alpha * log_q": "alpha * logits"},
             "You used the logits for log q(y|x). They are not normalised: take a log-softmax."),
        slip(semi_supervised_objective, {_WHERE: "return unlabelled + torch.where(y >= 0, alpha * log_q.gather(1, own)[:, 0], 0.0)"},
             "You used U for images with a label as well. Where y is known there is nothing to average over: L(x, y) of that label."),
        slip(semi_supervised_objective, {"(bounds - log_q)": "(bounds + log_q)"},
             "The entropy of q has the wrong sign in your U: −Σ q log q is added."),
        slip(semi_supervised_objective, {"(bounds - log_q)": "bounds"},
             "You left the entropy of q out of U: it is the expectation of −log q(y|x), and is added."),
        slip(semi_supervised_objective, {_WHERE: "return torch.where(y >= 0, labelled, 0.0 * unlabelled)"},
             "You gave images without a label nothing. Each of them adds U(x)."),
        slip(semi_supervised_objective, {"logits.log_softmax(dim=1)": "logits.log_softmax(dim=0)"},
             "Your softmax is over the images. q(y|x) adds up to 1 over the classes of one image."),
        slip(semi_supervised_objective, {_WHERE: "return torch.where(y >= 0, labelled + unlabelled, unlabelled)"},
             "You added U for images with a label, too. An image counts once: with L if its label is known, with U if not."),
        slip(semi_supervised_objective, {_WHERE: "return (bounds + alpha * log_q)[torch.arange(len(y)), y]"},
             "You took −1 for a class: as an index it means the last one. It says that the label is not known; there belongs U(x)."),
        slip(semi_supervised_objective, {"alpha * log_q)": "alpha * log_q / (y >= 0).sum())"},
             "You divided α by the number of labels. Here α multiplies a sum over labelled images, not a mean."),
        slip(semi_supervised_objective, {_WHERE: "return torch.where(y >= 0, labelled, bounds.max(dim=1).values)"},
             "You took the largest bound for images without a label. U averages over all classes, with q(y|x), and adds the entropy."),
        slip(semi_supervised_objective, {_WHERE: "return torch.where(y >= 0, labelled, bounds.logsumexp(dim=1))"},
             "You used the bound of the best q(y|x) for images without a label. Asked for is that of the q(y|x) that is given."),
        slip(semi_supervised_objective, {_WHERE: "return -torch.where(y >= 0, labelled, unlabelled)"},
             "You returned the loss. Asked for is the objective, which is made large."),
        slip(semi_supervised_objective, {"torch.where(y >= 0,": "torch.where(y > 0,"},
             "You took class 0 for a missing label. Classes count from 0; only −1 says that the label is not known.",
             loses=("hidden",)),
        Wrong(edited(semi_supervised_objective, {"(bounds + alpha * log_q)": "(alpha * (bounds + log_q))"}),
              "α multiplies log q(y|x) of the label alone, but you multiplied a bound by it: neither L nor U has a factor.",
              variants=(edited(semi_supervised_objective, {"(bounds + alpha * log_q)": "(alpha * bounds + log_q)"}),
                        edited(semi_supervised_objective, {"labelled, unlabelled)": "labelled, alpha * unlabelled)"}),
                        edited(semi_supervised_objective, {_WHERE: "return alpha * torch.where(y >= 0, labelled, unlabelled)"}))),
        Wrong(edited(semi_supervised_objective, {_LABELLED: "bounds.gather(1, own)[:, 0] + alpha * log_q.gather(1, own)[y >= 0].mean()"}),
              "You added the same log q to every image with a label, computed from all of them. Each has that of its own label.",
              variants=(edited(semi_supervised_objective, {_LABELLED: "bounds.gather(1, own)[:, 0] + alpha * log_q.gather(1, own)[y >= 0].sum()"}),)),
        Wrong(edited(semi_supervised_objective, {_WHERE: "return torch.where(y >= 0, labelled / (y >= 0).sum(), unlabelled / (y < 0).sum())"}),
              "You divided by a number of images. The objective is a sum, to which each image contributes its own term.",
              variants=(edited(semi_supervised_objective, {_WHERE: _WHERE + " / len(y)"}),)),
        slip(semi_supervised_objective, {"y.clamp(min=0)": "(y - 1).clamp(min=0)"},
             "You took the class before the label's. Labels count from 0, as indices do."),
        Wrong(edited(semi_supervised_objective, {"logits.log_softmax(dim=1)": "logits.softmax(dim=1).log()"}),
              "Your formula is right, but a q(y|x) that underflows to 0 has the logarithm −∞, and 0 · ∞ is no number. You need log q "
              "from the logits directly.", loses=("hidden",),
              variants=(edited(semi_supervised_objective, {"logits.log_softmax(dim=1)": "logits.softmax(dim=1).log()",
                                                           _WHERE: "return (y >= 0) * labelled + (y < 0) * unlabelled"}),)),
    ),
    alternatives=(objective_numpy, objective_loop, objective_one_hot),
)  # fmt: skip

# 5 ------------------------------------------------------------------------------- a layer that is told the class


def layer_inputs(case, rng):
    """Images, and the weights of a layer with the class as a one-hot vector appended; a low b leaves most units off."""
    B, D, H, C = case["B"], case["D"], case["H"], case["C"]
    return {
        "x": rng.standard_normal((B, D)),
        "W": rng.standard_normal((H, D)),
        "V": rng.standard_normal((H, C)),
        "b": case.get("low", 0.5) + rng.uniform(0, 1, H),
    }


def told_the_class(x, W, V, b):
    features = x @ W.T + b
    return (features + V.T[:, None]).relu()


def told_one_hot(x, W, V, b):
    B, C = len(x), V.shape[1]
    e = torch.eye(C, dtype=x.dtype)
    both = torch.cat([x.expand(C, B, -1), e[:, None].expand(C, B, C)], dim=2)
    return torch.nn.functional.linear(both, torch.cat([W, V], dim=1), b).clamp(min=0)


def told_loop(x, W, V, b):
    return torch.stack([torch.relu(x @ W.T + V[:, c] + b) for c in range(V.shape[1])])


def told_numpy(x, W, V, b):
    shared = np.einsum("bd,hd->bh", x.numpy(), W.numpy())
    return np.maximum(shared[None] + V.numpy().T[:, None, :] + b.numpy(), 0)


LAYER = Exercise(
    name="told_the_class",
    outputs=(Output("h", ("C", "B", "H")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=layer_inputs,
    cases={
        "visible": ({"B": 3, "D": 4, "H": 5, "C": 2, "low": -2.0}, {"B": 1, "D": 2, "H": 3, "C": 4}),
        "hidden": ({"B": 4, "D": 3, "H": 6, "C": 5, "low": -2.0}, {"B": 5, "D": 2, "H": 5, "C": 5}, {"B": 1, "D": 3, "H": 4, "C": 3}),
    },
    reference=told_the_class,
    wrong=(
        slip(told_the_class, {"(features + V.T[:, None])": "(features[:, None] + V.T)"},
             "Your first dimension runs over the images. Asked for is (C, B, H): one batch of features for each class."),
        slip(told_the_class, {"x @ W.T + b": "x @ W.T"},
             "You left the bias b out, which all classes share."),
        slip(told_the_class, {"(features + V.T[:, None]).relu()": "features + V.T[:, None]"},
             "You left the ReLU out, which sets negative features to 0."),
        slip(told_the_class, {"(features + V.T[:, None]).relu()": "features.relu() + V.T[:, None]"},
             "You added the class after the ReLU. It is an input of the layer like x, so it is added before."),
        slip(told_the_class, {"features + V": "features * V"},
             "You multiplied by the class's vector. A one-hot vector beside x adds a column of V."),
        slip(told_the_class, {"features + V": "features - V"},
             "You subtracted the class's vector: W x + V e + b."),
        slip(told_the_class, {"V.T[:, None]).relu()": "V.T[:1, None].expand(V.shape[1], 1, -1)).relu()"},
             "You told every batch the first class. Entry c of the result is for class c."),
        slip(told_the_class, {"V.T[:, None]).relu()": "V.T.flip(0)[:, None]).relu()"},
             "Your classes are in the reverse order: entry c of the result is for class c."),
        slip(told_the_class, {"V.T[:, None]).relu()": "V.mean(dim=1).expand(V.shape[1], 1, -1)).relu()"},
             "You told each batch the average of all classes. A one-hot vector picks one column of V."),
        slip(told_the_class, {".relu()": ".tanh()"},
             "You used tanh. This layer has a ReLU, which keeps positive features as they are."),
        slip(told_the_class, {".relu()": ".sigmoid()"},
             "You used a sigmoid. This layer has a ReLU."),
        slip(told_the_class, {".relu()": ".abs()"},
             "You took the absolute value. A ReLU sets negative features to 0."),
        slip(told_the_class, {"V.T[:, None]).relu()": "V.T.cumsum(0)[:, None]).relu()"},
             "You added the vectors of all classes up to c. A one-hot vector picks one of them: make features afresh for each class."),
        slip(told_the_class, {"V.T[:, None]).relu()": "V.sum(dim=1).expand(V.shape[1], 1, -1)).relu()"},
             "You added the vectors of all classes. A one-hot vector picks one of them."),
        slip(told_the_class, {"(features + V.T[:, None])": "(features.mean(dim=0, keepdim=True) + V.T[:, None]).expand(-1, len(x), -1)"},
             "You averaged the features over the images. Each image has its own."),
        slip(told_the_class, {"x @ W.T + b": "x @ W.T + 2 * b"},
             "You added b twice, once with x and once with the class. There is one bias."),
        slip(told_the_class, {".relu()": ".relu().transpose(0, 1) if V.shape[1] == len(x) else (features + V.T[:, None]).relu()"},
             "Your classes and images change places where there are as many of the one as of the other: you broadcast over the "
             "wrong axis. Make the axis of the classes first, whatever the sizes.", loses=("hidden",)),
        slip(told_the_class, {"(features + V.T[:, None]).relu()": "(features[:, None] + V.T).relu().reshape(V.shape[1], len(x), -1)"},
             "You computed (B, C, H) and reshaped it, which mixes images and classes. Exchange two axes with transpose or permute."),
        Wrong(edited(told_the_class, {"V.T[:, None]": "V.reshape(V.shape[1], 1, -1)"}),
              "You reshaped a matrix where it has to be transposed: reshape keeps the order of the entries, so that rows and columns get mixed up.",
              variants=(edited(told_the_class, {"W.T": "W.reshape(W.shape[1], -1)"}),)),
        Wrong(edited(told_the_class, {"features + V.T[:, None]": "features + (V * torch.arange(V.shape[1])).T[:, None]"}),
              "You multiplied V by the class's number. A one-hot vector holds a 1, whatever the class: it picks column c of V as it is.",
              variants=(edited(told_the_class, {"features + V.T[:, None]": "features + (V * torch.arange(1, V.shape[1] + 1)).T[:, None]"}),
                        edited(told_the_class, {"features + V.T[:, None]": "features + (V[:, :1] * torch.arange(V.shape[1])).T[:, None]"}))),
        slip(told_the_class, {"V.T[:, None]).relu()": "V.T[-1:, None].expand(V.shape[1], 1, -1)).relu()"},
             "All your entries are for the last class. If you loop: does each class write into the same tensor?"),
        slip(told_the_class, {"return (features + V.T[:, None]).relu()": "return torch.stack([features := (features + v).relu() for v in V.T])"},
             "You started each class from the features of the class before. Start each from W x + b."),
        Wrong(edited(told_the_class, {"V.T[:, None]).relu()": "V.T.roll(-1, 0)[:, None]).relu()"}),
              "Your entry c is for a class next to c. Classes count from 0, as columns do.",
              variants=(edited(told_the_class, {"V.T[:, None]).relu()": "V.T.roll(1, 0)[:, None]).relu()"}),)),
        Wrong(edited(told_the_class, {"return (features + V.T[:, None]).relu()": "return torch.nn.functional.leaky_relu(features + V.T[:, None])"}),
              "You used a relative of the ReLU, such as a leaky one, ELU, softplus, GELU or SiLU. A ReLU is max(0, ·).",
              variants=tuple(
                  edited(told_the_class, {"return (features + V.T[:, None]).relu()": f"return torch.nn.functional.{other}(features + V.T[:, None])"})
                  for other in ("elu", "softplus", "gelu", "silu"))),
        slip(told_the_class, {"(features + V.T[:, None]).relu()": "features.relu() + V.T[:, None].relu()"},
             "You gave x and the class a ReLU each. One ReLU is applied to their sum."),
    ),
    alternatives=(told_one_hot, told_loop, told_numpy),
)  # fmt: skip

# 6 ------------------------------------------------------------------------------------------------- analogies


def analogy_inputs(case, rng):
    """Codes that an encoder gives each image with each label, the images' own labels, and a linear decoder."""
    B, C, K, D = case["B"], case["C"], case["K"], case["D"]
    return {
        "codes": 1.5 * rng.standard_normal((B, C, K)),
        "y": (1 + rng.integers(C - 1) + np.arange(B)) % C if B > 1 else np.array([C - 1]),
        "A": rng.standard_normal((D, K)),
        "V": rng.standard_normal((D, C)),
    }


def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    logits = z @ A.T
    return torch.sigmoid(logits[:, None] + V.T)


def analogies_loops(codes, y, A, V):
    rows = []
    for own, label in zip(codes, y.tolist(), strict=True):
        rows.append(torch.stack([1 / (1 + (-(A @ own[label] + V[:, c])).exp()) for c in range(V.shape[1])]))
    return torch.stack(rows)


def analogies_gather(codes, y, A, V):
    index = y[:, None, None].expand(-1, 1, codes.shape[2])
    z = codes.gather(1, index)
    return torch.sigmoid(torch.nn.functional.linear(z, A) + V.T[None])


def analogies_numpy(codes, y, A, V):
    z = codes.numpy()[np.arange(len(y)), y.numpy()]
    logits = np.einsum("bk,dk->bd", z, A.numpy())[:, None] + V.numpy().T[None]
    return 1 / (1 + np.exp(-logits))


_OWN = "codes[torch.arange(len(y)), y]"
_DRAWN = "torch.sigmoid(logits[:, None] + V.T)"
ANALOGIES = Exercise(
    name="analogies",
    outputs=(Output("probabilities", ("B", "C", "D")),),
    points={"visible": 1, "hidden": 1},
    make_inputs=analogy_inputs,
    cases={
        "visible": ({"B": 3, "C": 4, "K": 2, "D": 5}, {"B": 1, "C": 3, "K": 2, "D": 4}),
        "hidden": ({"B": 5, "C": 3, "K": 3, "D": 6}, {"B": 4, "C": 4, "K": 2, "D": 3}, {"B": 1, "C": 5, "K": 1, "D": 2}),
    },
    reference=analogies,
    wrong=(
        slip(analogies, {"codes[torch.arange(len(y)), y]": "codes", "logits[:, None] + V.T": "logits + V.T"},
             "You inferred the style with the label of the column. Infer it once, with the image's own label, and draw all classes with it."),
        slip(analogies, {"codes[torch.arange(len(y)), y]": "codes.mean(dim=1)"},
             "You averaged the codes over all labels. The image's label is known: use the code that goes with it."),
        slip(analogies, {"codes[torch.arange(len(y)), y]": "codes[:, 0]"},
             "You used the code of the first class for every image. Each image has its own label."),
        slip(analogies, {"codes[torch.arange(len(y)), y]": "codes.sum(dim=1)"},
             "You added up the codes of all labels. Use the one that goes with the image's own label."),
        slip(analogies, {"torch.sigmoid(logits[:, None] + V.T)": "logits[:, None] + V.T"},
             "You returned logits. Probabilities of black pixels are their sigmoid."),
        slip(analogies, {"+ V.T)": "+ V.T[y][:, None].expand(-1, V.shape[1], -1))"},
             "All columns of your grid are of the image's own class. Column c is to show class c."),
        slip(analogies, {"logits[:, None] + V.T": "logits + V.T[:, None]"},
             "Your first dimension runs over the classes. Rows are images (styles), columns are classes: (B, C, D)."),
        slip(analogies, {"+ V.T)": "- V.T)"},
             "You subtracted the class's vector. The logits are A z + V e."),
        slip(analogies, {"return torch.sigmoid(logits[:, None] + V.T)": "return (logits[:, None] + V.T).softmax(dim=2)"},
             "You took a softmax over the pixels. Each pixel is a coin of its own: a sigmoid."),
        slip(analogies, {"return torch.sigmoid(logits[:, None] + V.T)": "return (logits[:, None] + V.T).softmax(dim=1)"},
             "You took a softmax over the classes. Each pixel is a coin of its own: a sigmoid."),
        slip(analogies, {"return torch.sigmoid(logits[:, None] + V.T)": "return torch.sigmoid(logits)[:, None].expand(-1, V.shape[1], -1)"},
             "You left the class out of the decoder: all columns are alike."),
        slip(analogies, {"logits[:, None] + V.T": "(0 * logits)[:, None] + V.T"},
             "You left the style out: all rows are alike. The decoder gets z and the class."),
        slip(analogies, {"return torch.sigmoid(logits[:, None] + V.T)": "return (torch.sigmoid(logits[:, None] + V.T) > 0.5).double()"},
             "You rounded. Asked for are the probabilities."),
        slip(analogies, {"return torch.sigmoid(logits[:, None] + V.T)": "return torch.sigmoid(logits[:, None]) + torch.sigmoid(V.T)"},
             "You added two sigmoids. Code and class are added before the sigmoid, as logits."),
        slip(analogies, {"V.T)": "V.T.flip(0))"},
             "Your columns are in the reverse order: column c shows class c."),
        Wrong(edited(analogies, {_OWN: "codes[torch.arange(len(y)), (y + 1) % codes.shape[1]]"}),
              "You took the code that goes with a class next to the label. Labels count from 0, as indices do.",
              variants=(edited(analogies, {_OWN: "codes[torch.arange(len(y)), y - 1]"}),)),
        slip(analogies, {"return torch.sigmoid(": "return torch.tanh("},
             "You used tanh, which may be negative. A probability is the sigmoid of its logit."),
        slip(analogies, {_OWN: "codes[:, y[0]]"},
             "You took the first image's label for all of them. Each image's code goes with its own label."),
        slip(analogies, {_OWN: "codes[0, y]"},
             "You took all codes from the first image. Each image has its own: image b's are codes[b]."),
        slip(analogies, {_OWN: "codes", _DRAWN: "torch.sigmoid(logits + V.T[y][:, None])"},
             "Two classes have changed places: the code goes with the image's own label, and the decoder is told the column's."),
        Wrong(edited(analogies, {"V.T": "V.reshape(V.shape[1], -1)"}),
              "You reshaped a matrix where it has to be transposed: reshape keeps the order of the entries, so that rows and columns get mixed up.",
              variants=(edited(analogies, {"A.T": "A.reshape(A.shape[1], -1)"}),)),
        slip(analogies, {_DRAWN: "torch.sigmoid(logits + V.T[:, None]).reshape(len(y), V.shape[1], -1)"},
             "You computed (C, B, D) and reshaped it, which mixes images and classes. Exchange two axes with transpose or permute."),
        Wrong(edited(analogies, {"+ V.T)": "+ V.T - V.T[y][:, None])"}),
              "The own class's column of V is in your logits, too. The decoder is told the column's class only: A z + V e_c.",
              variants=(edited(analogies, {"+ V.T)": "+ V.T + V.T[y][:, None])"}),)),
        slip(analogies, {_DRAWN: "torch.sigmoid(logits[:, None]) * torch.sigmoid(V.T)"},
             "You multiplied two sigmoids. Code and class are added before the sigmoid, as logits."),
        slip(analogies, {_DRAWN: "torch.sigmoid(-logits[:, None] - V.T)"},
             "Your sigmoid's argument has the wrong sign: what you give is one minus each probability."),
    ),
    alternatives=(analogies_loops, analogies_gather, analogies_numpy),
)  # fmt: skip

# 7 --------------------------------------------------------------------------------- EM where some labels are known


def em_inputs(case, rng):
    """Log-densities of N binary images under C classes, and labels, of which every second is missing."""
    N, C, D = case["N"], case["C"], case["D"]
    y = np.where(np.arange(N) % 2, -1, case["first"] + np.arange(N) // 2 % (C - case["first"]))
    return {
        "log_joint": case.get("offset", -4.0)
        + 1.2 * rng.standard_normal((N, C))
        + np.linspace(0, 1, C)
        - case.get("apart", 0.0) * np.arange(N)[:, None],
        "y": y if N > 1 else np.array([-1]),
        "x": (rng.uniform(size=(N, D)) < 0.5).astype(float) + rng.uniform(0.1, 0.2, (N, D)),
    }


def partial_em_step(log_joint, y, x):
    C = log_joint.shape[1]
    known = torch.nn.functional.one_hot(y + 1, C + 1)[:, 1:].to(log_joint)
    r = torch.where(y[:, None] >= 0, known, log_joint.softmax(dim=1))
    counts = r.sum(dim=0)
    return r, counts / len(x), r.T @ x / counts[:, None]


def em_numpy(log_joint, y, x):
    a, y, x = log_joint.numpy(), y.numpy(), x.numpy()
    r = np.exp(a - np.logaddexp.reduce(a, axis=1)[:, None])
    for n in np.flatnonzero(y >= 0):
        r[n] = 0
        r[n, y[n]] = 1
    return r, r.mean(axis=0), np.einsum("nc,nd->cd", r, x) / r.sum(axis=0)[:, None]


def em_masked(log_joint, y, x):
    classes = torch.arange(log_joint.shape[1])
    impossible = (y[:, None] >= 0) & (y[:, None] != classes)
    r = log_joint.masked_fill(impossible, -math.inf).softmax(dim=1)
    return r, r.mean(dim=0), torch.einsum("nc,nd->cd", r, x) / r.sum(dim=0)[:, None]


def em_loops(log_joint, y, x):
    rows = []
    for row, label in zip(log_joint, y.tolist(), strict=True):
        if label >= 0:
            rows.append(torch.eye(len(row), dtype=row.dtype)[label])
        else:
            rows.append((row - row.logsumexp(dim=0)).exp())
    r = torch.stack(rows)
    means = torch.stack([(r[:, c, None] * x).sum(dim=0) / r[:, c].sum() for c in range(r.shape[1])])
    return r, r.mean(dim=0), means


_E_STEP = "torch.where(y[:, None] >= 0, known, log_joint.softmax(dim=1))"
_HARD = "known, torch.nn.functional.one_hot(log_joint.argmax(dim=1), C).to(known))"
_MEANS = "r.T @ x / counts[:, None]"
EM = Exercise(
    name="partial_em_step",
    outputs=(Output("responsibilities", ("N", "C")), Output("shares", ("C",)), Output("means", ("C", "D"))),
    points={"visible": 1, "hidden": 1},
    make_inputs=em_inputs,
    cases={
        "visible": ({"N": 9, "C": 3, "D": 2, "first": 1}, {"N": 1, "C": 3, "D": 2, "first": 0}),
        "hidden": (
            {"N": 12, "C": 4, "D": 3, "first": 0},
            {"N": 1, "C": 2, "D": 4, "first": 0},
            {"N": 8, "C": 3, "D": 1, "first": 0, "offset": -1500.0, "apart": 200.0},
        ),
    },
    reference=partial_em_step,
    wrong=(
        slip(partial_em_step, {"torch.where(y[:, None] >= 0, known, log_joint.softmax(dim=1))": "log_joint.softmax(dim=1)"},
             "You did not use the labels. A label that is known leaves no choice: responsibility 1 for its class, 0 for the others."),
        slip(partial_em_step, {"known, log_joint.softmax(dim=1))": "known, torch.full_like(known, 1 / C))"},
             "You gave images without a label to all classes alike. Their responsibilities are p(y|x), from log_joint."),
        Wrong(edited(partial_em_step, {"known, log_joint.softmax(dim=1))": _HARD}),
              "You gave each image to its most probable class. EM divides it: responsibilities are probabilities.",
              # A class that gets no image has the mean 0/0, or 0 where the division is guarded.
              variants=(edited(partial_em_step, {"known, log_joint.softmax(dim=1))": _HARD, _MEANS: _MEANS + ".clamp(min=1e-9)"}),)),
        slip(partial_em_step, {"log_joint.softmax(dim=1)": "log_joint.softmax(dim=0)"},
             "Your softmax is over the images. Responsibilities add up to 1 over the classes of one image."),
        slip(partial_em_step, {"log_joint.softmax(dim=1)": "log_joint.sigmoid()"},
             "You took a sigmoid of log p(x, y). By Bayes' rule p(y|x) is the softmax over the classes."),
        slip(partial_em_step, {"r.T @ x / counts[:, None]": "r.T @ x / len(x)"},
             "You divided the means by the number of images. Each class's mean is over what it is responsible for, N_c."),
        slip(partial_em_step, {"r, counts / len(x),": "r, counts,"},
             "You returned counts for shares: divide by the number of images, so that they add up to 1."),
        slip(partial_em_step, {"r, counts / len(x),": "r, torch.full_like(counts, 1 / C),"},
             "You gave all classes the same share. The M-step's shares are N_c / N."),
        slip(partial_em_step, {"r, counts / len(x),": "r, (counts / len(x)).log(),"},
             "You returned logarithms of the shares. Asked for are the shares, which add up to 1."),
        slip(partial_em_step, {"r.T @ x / counts[:, None]": "r.T @ x"},
             "You did not divide the sums by N_c: a weighted mean is a sum divided by the sum of the weights."),
        slip(partial_em_step, {"known, log_joint.softmax(dim=1))": "0.5 * known + 0.5 * log_joint.softmax(dim=1), log_joint.softmax(dim=1))"},
             "You averaged the label with the model's opinion. A label that is known is certain."),
        slip(partial_em_step, {"r.T @ x / counts[:, None]": "(r / r.sum(dim=1, keepdim=True)).T @ x / r.square().sum(dim=0)[:, None]"},
             "You divided the means by the sum of squared responsibilities. The weights are the responsibilities themselves."),
        slip(partial_em_step, {"return r, counts / len(x)": "return r.log_softmax(dim=1), counts / len(x)"},
             "You returned logarithms, and of a softmax of responsibilities. They are probabilities already."),
        slip(partial_em_step, {"r.T @ x / counts[:, None]": "x.mean(dim=0).expand(C, -1)"},
             "You gave every class the mean of all images. Weigh each image by the class's responsibility for it."),
        slip(partial_em_step, {"r.T @ x / counts[:, None]": "(r.square().T @ x) / r.square().sum(dim=0)[:, None]"},
             "You squared the responsibilities in the means. Each image counts with its responsibility."),
        slip(partial_em_step, {"log_joint.softmax(dim=1)": "log_joint.exp() / log_joint.exp().sum(dim=1, keepdim=True)"},
             "Your formula is right, but exp(−1500) is 0 in floating point, and you divide 0 by 0. Take the largest entry out first.",
             loses=("hidden",)),
        slip(partial_em_step, {"y[:, None] >= 0": "y[:, None] > 0"},
             "You took class 0 for a missing label. Classes count from 0; only −1 says that the label is not known.",
             loses=("hidden",)),
        Wrong(edited(partial_em_step, {_E_STEP: "torch.nn.functional.one_hot(y % C, C).to(known)"}),
              "You took −1 for a class: as an index it means the last one. It says that the label is not known; there belongs p(y|x).",
              variants=(edited(partial_em_step, {_E_STEP: "torch.nn.functional.one_hot(y % C, C).to(known)", _MEANS: _MEANS + ".clamp(min=1e-9)"}),)),
        slip(partial_em_step, {_E_STEP: "torch.where(known > 0, known, log_joint.softmax(dim=1))"},
             "You set the label's entry to 1, but left the others as they were: such a row adds up to more than 1. Where the label is "
             "known, the other classes get 0."),
        slip(partial_em_step, {_E_STEP: "torch.where((y[:, None] >= 0) & (known == 0), 0.0, log_joint).softmax(dim=1)"},
             "You set the log-densities of classes that a label rules out to 0. What is impossible has probability 0, and the "
             "logarithm −∞."),
        Wrong(edited(partial_em_step, {_MEANS: "(r.T @ x + 1) / (counts[:, None] + 2)"}),
              "You smoothed with pseudo-counts. Asked for are the shares N_c / N, and the means without additions.",
              variants=(edited(partial_em_step, {"counts / len(x)": "(counts + 1) / (len(x) + C)"}),)),
        slip(partial_em_step, {_MEANS: _MEANS + ".clamp(min=1)"},
             "You kept N_c from falling below 1. A class may be responsible for less than one image in all: divide by N_c itself."),
        slip(partial_em_step, {"return r, counts": "return r.log(), counts"},
             "You returned logarithms of the responsibilities. Asked for are the probabilities, which add up to 1."),
        Wrong(edited(partial_em_step, {"counts / len(x)": "known.sum(dim=0) / known.sum()"}),
              "You left images without a label out of the M step. They count as well, in each class with their responsibility.",
              variants=(edited(partial_em_step, {"counts / len(x)": "(known.sum(dim=0) / known.sum() if known.any() else counts / len(x))"}),
                        edited(partial_em_step, {_MEANS: "known.T @ x / known.sum(dim=0)[:, None]"}),
                        edited(partial_em_step, {_MEANS: "known.T @ x / known.sum(dim=0)[:, None].clamp(min=1)"}))),
        Wrong(edited(partial_em_step, {_MEANS: "r[y < 0].T @ x[y < 0] / r[y < 0].sum(dim=0)[:, None]"}),
              "You left images with a label out of the M step. They count as well, each wholly for its class.",
              variants=(edited(partial_em_step, {"counts / len(x)": "r[y < 0].mean(dim=0)"}),)),
    ),
    alternatives=(em_numpy, em_masked, em_loops),
)  # fmt: skip

# Absent while this is graded: it is what students are asked to write.
SEALED = ("semisupervised", "classifiers")

EXERCISES = (EM, LABELLED, UNLABELLED, BEST, OBJECTIVE, LAYER, ANALOGIES)

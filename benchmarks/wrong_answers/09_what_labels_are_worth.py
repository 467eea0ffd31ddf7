"""Wrong answers that students might hand in for assignment 09."""
# ruff: noqa
import math

import numpy as np
import torch
import torch.nn.functional as F

WRONG = []  # (exercise name, mistake in a sentence, function)


def wrong(exercise, mistake):
    def decorate(function):
        assert function.__name__ == exercise, (exercise, function.__name__)
        WRONG.append((exercise, mistake, function))
        return function

    return decorate


# ---------------------------------------------------------------- Exercise 1: partial_em_step


@wrong("partial_em_step", "exp, then division by the sum: 0/0 = nan where all log-densities of an image are far below -745")
def partial_em_step(log_joint, y, x):
    joint = log_joint.exp()
    r = joint / joint.sum(dim=1, keepdim=True)
    has = y >= 0
    r[has] = F.one_hot(y[has], r.shape[1]).to(r.dtype)
    count = r.sum(dim=0)
    return r, count / len(x), r.T @ x / count[:, None]


@wrong("partial_em_step", "the labels are ignored")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=1)
    count = r.sum(dim=0)
    return r, count / len(x), r.T @ x / count[:, None]


@wrong("partial_em_step", "responsibilities of images without a label are normalised over the images (dim 0), not the classes")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=0)
    has = y >= 0
    r[has] = F.one_hot(y[has], r.shape[1]).to(r.dtype)
    count = r.sum(dim=0)
    return r, count / len(x), r.T @ x / count[:, None]


@wrong("partial_em_step", "indexes with y in all rows: -1 puts every image without a label wholly into the last class")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=1)
    r = torch.eye(r.shape[1], dtype=r.dtype)[y]
    count = r.sum(dim=0)
    return r, count / len(x), r.T @ x / count[:, None].clamp(min=1e-9)


@wrong("partial_em_step", "y > 0 instead of y >= 0: the label 0 counts as no label")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=1)
    has = y > 0
    r[has] = F.one_hot(y[has], r.shape[1]).to(r.dtype)
    count = r.sum(dim=0)
    return r, count / len(x), r.T @ x / count[:, None]


@wrong("partial_em_step", "returns the counts N_c, not the shares N_c / N")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=1)
    has = y >= 0
    r[has] = F.one_hot(y[has], r.shape[1]).to(r.dtype)
    count = r.sum(dim=0)
    return r, count, r.T @ x / count[:, None]


@wrong("partial_em_step", "the means are divided by N instead of N_c")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=1)
    has = y >= 0
    r[has] = F.one_hot(y[has], r.shape[1]).to(r.dtype)
    return r, r.mean(dim=0), r.T @ x / len(x)


@wrong("partial_em_step", "images without a label belong wholly to their most probable class (hard assignment)")
def partial_em_step(log_joint, y, x):
    c = torch.where(y >= 0, y, log_joint.argmax(dim=1))
    r = F.one_hot(c, log_joint.shape[1]).to(x.dtype)
    count = r.sum(dim=0)
    return r, count / len(x), r.T @ x / count[:, None].clamp(min=1)


@wrong("partial_em_step", "sets the label's entry to 1 but leaves the other classes' values in the row")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=1)
    has = (y >= 0).nonzero()[:, 0]
    r[has, y[has]] = 1
    count = r.sum(dim=0)
    return r, count / len(x), r.T @ x / count[:, None]


@wrong("partial_em_step", "pseudo-counts in the means: (Σ r x + 1) / (N_c + 2)")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=1)
    has = y >= 0
    r[has] = F.one_hot(y[has], r.shape[1]).to(r.dtype)
    count = r.sum(dim=0)
    return r, count / len(x), (r.T @ x + 1) / (count[:, None] + 2)


@wrong("partial_em_step", "N_c is clamped to at least 1: the means of classes with less than one image are too small")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=1)
    has = y >= 0
    r[has] = F.one_hot(y[has], r.shape[1]).to(r.dtype)
    count = r.sum(dim=0)
    return r, count / len(x), r.T @ x / count[:, None].clamp(min=1)


@wrong("partial_em_step", "masks the other classes of labelled images with 0 instead of -inf before the softmax")
def partial_em_step(log_joint, y, x):
    onehot = F.one_hot(y.clamp(min=0), log_joint.shape[1]).bool()
    masked = torch.where((y >= 0)[:, None] & ~onehot, 0.0, log_joint)
    r = torch.softmax(masked, dim=1)
    count = r.sum(dim=0)
    return r, count / len(x), r.T @ x / count[:, None]


@wrong("partial_em_step", "the right values, but labelled rows of the argument log_joint are overwritten in place")
def partial_em_step(log_joint, y, x):
    has = y >= 0
    log_joint[has] = F.one_hot(y[has], log_joint.shape[1]).to(x.dtype).log()
    r = torch.softmax(log_joint, dim=1)
    count = r.sum(dim=0)
    return r, count / len(x), r.T @ x / count[:, None]


@wrong("partial_em_step", "two mistakes: the shares are those of the labelled images only, and responsibilities are returned as logarithms")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=1)
    has = y >= 0
    r[has] = F.one_hot(y[has], r.shape[1]).to(r.dtype)
    shares = r[has].mean(dim=0) if has.any() else r.mean(dim=0)
    return r.log(), shares, r.T @ x / r.sum(dim=0)[:, None]


@wrong("partial_em_step", "two mistakes: the means come from images without a label only, and a label of 0 counts as no label")
def partial_em_step(log_joint, y, x):
    r = torch.softmax(log_joint, dim=1)
    has = y > 0
    r[has] = F.one_hot(y[has], r.shape[1]).to(r.dtype)
    count = r[~has].sum(dim=0)
    return r, r.mean(dim=0), r[~has].T @ x[~has] / count[:, None].clamp(min=1e-9)


# ---------------------------------------------------------------- Exercise 2: labelled_bound


@wrong("labelled_bound", "the KL is added, not subtracted")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) + kl


@wrong("labelled_bound", "log p(y) is forgotten")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
    return log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "takes all classes for equally likely: -log C in place of log p(y)")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
    return log_likelihood.mean(dim=0) - kl - math.log(len(class_log_prior))


@wrong("labelled_bound", "log σ is taken for log σ²")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + log_sigma.exp() - 1 - log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "the factor one half of the KL is forgotten")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "the KL is a mean over the K dimensions, not a sum")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).mean(dim=1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "sums over the draws of z instead of averaging")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood.sum(dim=0) - kl


@wrong("labelled_bound", "the logarithm of the mean likelihood over the draws, not the mean of its logarithm")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
    return class_log_prior[y] + torch.logsumexp(log_likelihood, dim=0) - math.log(len(log_likelihood)) - kl


@wrong("labelled_bound", "the -1 of the KL is forgotten")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 2 * log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "adds p(y) itself, not its logarithm")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
    return class_log_prior.exp()[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "the KL in the wrong direction: from N(0, I) to q")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * ((1 + mu**2) * (-2 * log_sigma).exp() - 1 + 2 * log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "the KL of the whole batch is subtracted from every image: a sum without dim")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum()
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "only the first draw of z is used")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood[0] - kl


@wrong("labelled_bound", "two mistakes: log p(y) is subtracted, and σ, not σ², stands in the KL")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + log_sigma.exp() - 1 - 2 * log_sigma).sum(dim=1)
    return -class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "two mistakes: the label's index is off by one (y - 1), and μ is not squared in the KL")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)
    return class_log_prior[y - 1] + log_likelihood.mean(dim=0) - kl


# ---------------------------------------------------------------- Exercise 3: unlabelled_bound


@wrong("unlabelled_bound", "the entropy is subtracted")
def unlabelled_bound(bounds, logits):
    log_q = torch.log_softmax(logits, dim=1)
    q = log_q.exp()
    return (q * bounds).sum(dim=1) + (q * log_q).sum(dim=1)


@wrong("unlabelled_bound", "the entropy is forgotten")
def unlabelled_bound(bounds, logits):
    return (torch.softmax(logits, dim=1) * bounds).sum(dim=1)


@wrong("unlabelled_bound", "q log q with the logarithm of the softmax: 0 · -inf = nan where some q(y|x) underflows")
def unlabelled_bound(bounds, logits):
    q = torch.softmax(logits, dim=1)
    return (q * (bounds - q.log())).sum(dim=1)


@wrong("unlabelled_bound", "a nan entropy is replaced by 0: the entropy is lost wherever one q(y|x) underflows")
def unlabelled_bound(bounds, logits):
    q = torch.softmax(logits, dim=1)
    entropy = -(q * q.log()).sum(dim=1)
    return (q * bounds).sum(dim=1) + torch.nan_to_num(entropy)


@wrong("unlabelled_bound", "q is clamped to at least 1e-3 and not normalised again")
def unlabelled_bound(bounds, logits):
    q = torch.softmax(logits, dim=1).clamp(min=1e-3)
    return (q * (bounds - q.log())).sum(dim=1)


@wrong("unlabelled_bound", "the softmax is over the images (dim 0), not over the classes")
def unlabelled_bound(bounds, logits):
    log_q = torch.log_softmax(logits, dim=0)
    return (log_q.exp() * (bounds - log_q)).sum(dim=1)


@wrong("unlabelled_bound", "a sigmoid of each logit in place of the softmax")
def unlabelled_bound(bounds, logits):
    log_q = F.logsigmoid(logits)
    return (log_q.exp() * (bounds - log_q)).sum(dim=1)


@wrong("unlabelled_bound", "the mean over the classes of q (L - log q), not the sum")
def unlabelled_bound(bounds, logits):
    log_q = torch.log_softmax(logits, dim=1)
    return (log_q.exp() * (bounds - log_q)).mean(dim=1)


@wrong("unlabelled_bound", "log Σ exp L, which the best classifier reaches: the logits are ignored")
def unlabelled_bound(bounds, logits):
    return torch.logsumexp(bounds, dim=1)


@wrong("unlabelled_bound", "the entropy is in bits")
def unlabelled_bound(bounds, logits):
    log_q = torch.log_softmax(logits, dim=1)
    q = log_q.exp()
    return (q * bounds).sum(dim=1) - (q * log_q).sum(dim=1) / math.log(2)


@wrong("unlabelled_bound", "subtracts KL(q(y|x) ‖ uniform), so that the prior of the classes is counted twice: log C too small")
def unlabelled_bound(bounds, logits):
    log_q = torch.log_softmax(logits, dim=1)
    kl = (log_q.exp() * (log_q + math.log(logits.shape[1]))).sum(dim=1)
    return (log_q.exp() * bounds).sum(dim=1) - kl


@wrong("unlabelled_bound", "the bound of the classifier's most probable class alone, plus the entropy")
def unlabelled_bound(bounds, logits):
    log_q = torch.log_softmax(logits, dim=1)
    best = bounds.gather(1, logits.argmax(dim=1, keepdim=True))[:, 0]
    return best - (log_q.exp() * log_q).sum(dim=1)


@wrong("unlabelled_bound", "log Σ q exp L, plus the entropy: the logarithm of the mean in place of the mean")
def unlabelled_bound(bounds, logits):
    log_q = torch.log_softmax(logits, dim=1)
    return torch.logsumexp(log_q + bounds, dim=1) - (log_q.exp() * log_q).sum(dim=1)


@wrong("unlabelled_bound", "two mistakes: the raw logits stand for log q in the entropy, and the entropy is subtracted")
def unlabelled_bound(bounds, logits):
    q = torch.softmax(logits, dim=1)
    return (q * (bounds + logits)).sum(dim=1)


@wrong("unlabelled_bound", "two mistakes: the plain mean of the bounds over the classes, and the entropy of the softmax over dim 0")
def unlabelled_bound(bounds, logits):
    log_q = torch.log_softmax(logits, dim=0)
    return bounds.mean(dim=1) - (log_q.exp() * log_q).sum(dim=1)


# ---------------------------------------------------------------- Exercise 4: best_classifier


@wrong("best_classifier", "the gap is KL(s‖q), the wrong direction")
def best_classifier(bounds, logits):
    log_s, log_q = torch.log_softmax(bounds, dim=1), torch.log_softmax(logits, dim=1)
    return torch.logsumexp(bounds, dim=1), log_s, (log_s.exp() * (log_s - log_q)).sum(dim=1)


@wrong("best_classifier", "the best value is the largest bound, not the log-sum-exp")
def best_classifier(bounds, logits):
    log_s, log_q = torch.log_softmax(bounds, dim=1), torch.log_softmax(logits, dim=1)
    return bounds.max(dim=1).values, log_s, (log_q.exp() * (log_q - log_s)).sum(dim=1)


@wrong("best_classifier", "s is normalised over the images (dim 0)")
def best_classifier(bounds, logits):
    log_s, log_q = torch.log_softmax(bounds, dim=0), torch.log_softmax(logits, dim=1)
    return torch.logsumexp(bounds, dim=1), log_s, (log_q.exp() * (log_q - log_s)).sum(dim=1)


@wrong("best_classifier", "returns s, not log s")
def best_classifier(bounds, logits):
    log_s, log_q = torch.log_softmax(bounds, dim=1), torch.log_softmax(logits, dim=1)
    return torch.logsumexp(bounds, dim=1), log_s.exp(), (log_q.exp() * (log_q - log_s)).sum(dim=1)


@wrong("best_classifier", "the gap's sign is reversed: U minus the best value")
def best_classifier(bounds, logits):
    log_s, log_q = torch.log_softmax(bounds, dim=1), torch.log_softmax(logits, dim=1)
    return torch.logsumexp(bounds, dim=1), log_s, (log_q.exp() * (log_s - log_q)).sum(dim=1)


@wrong("best_classifier", "exponentiates the bounds before the sum: log 0 = -inf where they are below -745")
def best_classifier(bounds, logits):
    best = bounds.exp().sum(dim=1).log()
    log_s, log_q = bounds - best[:, None], torch.log_softmax(logits, dim=1)
    return best, log_s, (log_q.exp() * (log_q - log_s)).sum(dim=1)


@wrong("best_classifier", "the gap is the best value minus Σ q L: the entropy of q is forgotten")
def best_classifier(bounds, logits):
    best, log_s = torch.logsumexp(bounds, dim=1), torch.log_softmax(bounds, dim=1)
    return best, log_s, best - (torch.softmax(logits, dim=1) * bounds).sum(dim=1)


@wrong("best_classifier", "the raw logits stand for log q in the gap")
def best_classifier(bounds, logits):
    log_s = torch.log_softmax(bounds, dim=1)
    gap = (torch.softmax(logits, dim=1) * (logits - log_s)).sum(dim=1)
    return torch.logsumexp(bounds, dim=1), log_s, gap


@wrong("best_classifier", "the best value is the logarithm of the mean of exp L over the classes: log C too small")
def best_classifier(bounds, logits):
    log_s, log_q = torch.log_softmax(bounds, dim=1), torch.log_softmax(logits, dim=1)
    best = torch.logsumexp(bounds, dim=1) - math.log(bounds.shape[1])
    return best, log_s, (log_q.exp() * (log_q - log_s)).sum(dim=1)


@wrong("best_classifier", "log q of the given classifier is returned in place of log s")
def best_classifier(bounds, logits):
    log_s, log_q = torch.log_softmax(bounds, dim=1), torch.log_softmax(logits, dim=1)
    return torch.logsumexp(bounds, dim=1), log_q, (log_q.exp() * (log_q - log_s)).sum(dim=1)


@wrong("best_classifier", "F.kl_div with reduction='batchmean': every image gets the batch's mean gap")
def best_classifier(bounds, logits):
    log_s, q = torch.log_softmax(bounds, dim=1), torch.softmax(logits, dim=1)
    gap = F.kl_div(log_s, q, reduction="batchmean").expand(len(bounds))
    return torch.logsumexp(bounds, dim=1), log_s, gap


@wrong("best_classifier", "log of the softmax in the gap: 0 · -inf = nan where some q underflows")
def best_classifier(bounds, logits):
    log_s, q = torch.log_softmax(bounds, dim=1), torch.softmax(logits, dim=1)
    return torch.logsumexp(bounds, dim=1), log_s, (q * (q.log() - log_s)).sum(dim=1)


@wrong("best_classifier", "the gap is averaged over the classes, not summed")
def best_classifier(bounds, logits):
    log_s, log_q = torch.log_softmax(bounds, dim=1), torch.log_softmax(logits, dim=1)
    return torch.logsumexp(bounds, dim=1), log_s, (log_q.exp() * (log_q - log_s)).mean(dim=1)


@wrong("best_classifier", "two mistakes: U of the given classifier in place of the best value, and the gap in the wrong direction")
def best_classifier(bounds, logits):
    log_s, log_q = torch.log_softmax(bounds, dim=1), torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    return u, log_s, (log_s.exp() * (log_s - log_q)).sum(dim=1)


@wrong("best_classifier", "two mistakes: log s is the bound minus the row's largest, and the gap is in bits")
def best_classifier(bounds, logits):
    log_s, log_q = torch.log_softmax(bounds, dim=1), torch.log_softmax(logits, dim=1)
    gap = (log_q.exp() * (log_q - log_s)).sum(dim=1) / math.log(2)
    return torch.logsumexp(bounds, dim=1), bounds - bounds.max(dim=1, keepdim=True).values, gap


# ---------------------------------------------------------------- Exercise 5: semi_supervised_objective


@wrong("semi_supervised_objective", "α log q(y|x) is subtracted")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] - alpha * log_q.gather(1, own)[:, 0]
    return torch.where(y >= 0, labelled, u)


@wrong("semi_supervised_objective", "the raw logit of the label stands for log q(y|x)")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] + alpha * logits.gather(1, own)[:, 0]
    return torch.where(y >= 0, labelled, u)


@wrong("semi_supervised_objective", "α q(y|x) instead of α log q(y|x)")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] + alpha * log_q.exp().gather(1, own)[:, 0]
    return torch.where(y >= 0, labelled, u)


@wrong("semi_supervised_objective", "the entropy is forgotten in U")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * bounds).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] + alpha * log_q.gather(1, own)[:, 0]
    return torch.where(y >= 0, labelled, u)


@wrong("semi_supervised_objective", "images with a label contribute U as well")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] + alpha * log_q.gather(1, own)[:, 0]
    return u + torch.where(y >= 0, labelled, 0.0)


@wrong("semi_supervised_objective", "y > 0 instead of y >= 0: images of class 0 count as unlabelled")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] + alpha * log_q.gather(1, own)[:, 0]
    return torch.where(y > 0, labelled, u)


@wrong("semi_supervised_objective", "all images take the labelled branch: -1 picks the last class where there is no label")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    rows = torch.arange(len(y))
    return bounds[rows, y] + alpha * log_q[rows, y]


@wrong("semi_supervised_objective", "α multiplies the labelled bound too: α (L + log q)")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = alpha * (bounds + log_q).gather(1, own)[:, 0]
    return torch.where(y >= 0, labelled, u)


@wrong("semi_supervised_objective", "α is forgotten: the factor of log q(y|x) is 1")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = (bounds + log_q).gather(1, own)[:, 0]
    return torch.where(y >= 0, labelled, u)


@wrong("semi_supervised_objective", "F.cross_entropy with its default mean: each labelled image gets the labelled images' mean log q(y|x)")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    objective = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    has = y >= 0
    if has.any():
        rows = has.nonzero()[:, 0]
        objective[has] = bounds[rows, y[has]] - alpha * F.cross_entropy(logits[has], y[has])
    return objective


@wrong("semi_supervised_objective", "labelled contributions are divided by the number of labelled images, the others by the number of the others")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * (bounds - log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] + alpha * log_q.gather(1, own)[:, 0]
    count = (y >= 0).sum()
    return torch.where(y >= 0, labelled / count.clamp(min=1), u / (len(y) - count).clamp(min=1))


@wrong("semi_supervised_objective", "an unlabelled image contributes log Σ exp L, the best U, not the classifier's U")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] + alpha * log_q.gather(1, own)[:, 0]
    return torch.where(y >= 0, labelled, torch.logsumexp(bounds, dim=1))


@wrong("semi_supervised_objective", "both branches computed with q.log() and multiplied by masks: nan for every image of which some q(y|x) underflows")
def semi_supervised_objective(bounds, logits, y, alpha):
    q = torch.softmax(logits, dim=1)
    log_q = q.log()
    u = (q * (bounds - log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] + alpha * log_q.gather(1, own)[:, 0]
    mask = (y >= 0).to(q.dtype)
    return mask * labelled + (1 - mask) * u


@wrong("semi_supervised_objective", "two mistakes: images without a label contribute 0, and α multiplies q(y|x), not its logarithm")
def semi_supervised_objective(bounds, logits, y, alpha):
    q = torch.softmax(logits, dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] + alpha * q.gather(1, own)[:, 0]
    return torch.where(y >= 0, labelled, 0.0)


@wrong("semi_supervised_objective", "two mistakes: U is multiplied by α, and the entropy in it is subtracted")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = torch.log_softmax(logits, dim=1)
    u = (log_q.exp() * (bounds + log_q)).sum(dim=1)
    own = y.clamp(min=0)[:, None]
    labelled = bounds.gather(1, own)[:, 0] + alpha * log_q.gather(1, own)[:, 0]
    return torch.where(y >= 0, labelled, alpha * u)


# ---------------------------------------------------------------- Exercise 6: told_the_class


@wrong("told_the_class", "b is forgotten")
def told_the_class(x, W, V, b):
    return torch.relu((x @ W.T)[None] + V.T[:, None])


@wrong("told_the_class", "the ReLU is forgotten")
def told_the_class(x, W, V, b):
    return (x @ W.T + b)[None] + V.T[:, None]


@wrong("told_the_class", "the ReLU comes before the class is added: ReLU(W x + b) + V e_c")
def told_the_class(x, W, V, b):
    return torch.relu(x @ W.T + b)[None] + V.T[:, None]


@wrong("told_the_class", "computed as (B, C, H) and reshaped, not permuted, to (C, B, H): images and classes get mixed up")
def told_the_class(x, W, V, b):
    h = torch.relu((x @ W.T + b)[:, None] + V.T[None])
    return h.reshape(V.shape[1], len(x), len(b))


@wrong("told_the_class", "V is reshaped to (C, H) instead of transposed")
def told_the_class(x, W, V, b):
    return torch.relu((x @ W.T + b)[None] + V.reshape(V.shape[1], 1, V.shape[0]))


@wrong("told_the_class", "W is reshaped to (D, H) instead of transposed")
def told_the_class(x, W, V, b):
    return torch.relu((x @ W.reshape(W.shape[1], W.shape[0]) + b)[None] + V.T[:, None])


@wrong("told_the_class", "b is added twice, with W x and with V e_c")
def told_the_class(x, W, V, b):
    return torch.relu((x @ W.T + b)[None] + (V.T + b)[:, None])


@wrong("told_the_class", "the class's number multiplies its column: c V e_c, so class 0 adds nothing")
def told_the_class(x, W, V, b):
    number = torch.arange(V.shape[1], dtype=V.dtype)[:, None]
    return torch.relu((x @ W.T + b)[None] + (number * V.T)[:, None])


@wrong("told_the_class", "V's columns are added in place in a loop: class c gets the sum of the columns 0 to c")
def told_the_class(x, W, V, b):
    before = x @ W.T + b
    out = []
    for c in range(V.shape[1]):
        before += V[:, c]
        out.append(torch.relu(before))
    return torch.stack(out)


@wrong("told_the_class", "one buffer is written in place for all classes: all have the last class's features")
def told_the_class(x, W, V, b):
    before = x @ W.T + b
    buffer, out = torch.empty_like(before), []
    for c in range(V.shape[1]):
        torch.add(before, V[:, c], out=buffer)
        out.append(buffer.relu_())
    return torch.stack(out)


@wrong("told_the_class", "the loop overwrites its variable: each class adds its column to the previous class's features, after the ReLU")
def told_the_class(x, W, V, b):
    h = x @ W.T + b
    out = []
    for c in range(V.shape[1]):
        h = torch.relu(h + V[:, c])
        out.append(h)
    return torch.stack(out)


@wrong("told_the_class", "the classes are counted from 1: row c gets column c + 1, and the last one column 0")
def told_the_class(x, W, V, b):
    return torch.relu((x @ W.T + b)[None] + V.T.roll(-1, dims=0)[:, None])


@wrong("told_the_class", "a leaky ReLU with slope 0.01")
def told_the_class(x, W, V, b):
    return F.leaky_relu((x @ W.T + b)[None] + V.T[:, None], 0.01)


@wrong("told_the_class", "two mistakes: V e_c multiplies W x + b instead of being added, and the ReLU is a sigmoid")
def told_the_class(x, W, V, b):
    return torch.sigmoid((x @ W.T + b)[None] * V.T[:, None])


@wrong("told_the_class", "two mistakes: separate ReLUs of W x and V e_c are added, and b is forgotten")
def told_the_class(x, W, V, b):
    return torch.relu(x @ W.T)[None] + torch.relu(V.T)[:, None]


# ---------------------------------------------------------------- Exercise 7: analogies


@wrong("analogies", "each class is drawn with its own code, codes[b, c], not with the code of the image's own label")
def analogies(codes, y, A, V):
    return torch.sigmoid(codes @ A.T + V.T[None])


@wrong("analogies", "the label of the first image picks the code of all images")
def analogies(codes, y, A, V):
    z = codes[:, y[0]]
    return torch.sigmoid((z @ A.T)[:, None] + V.T[None])


@wrong("analogies", "the sigmoid is forgotten: logits")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    return (z @ A.T)[:, None] + V.T[None]


@wrong("analogies", "a softmax over the pixels in place of the sigmoid")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    return torch.softmax((z @ A.T)[:, None] + V.T[None], dim=2)


@wrong("analogies", "the style is the mean of the image's codes over all classes")
def analogies(codes, y, A, V):
    return torch.sigmoid((codes.mean(dim=1) @ A.T)[:, None] + V.T[None])


@wrong("analogies", "the decoder is told the image's own label in every column: the same image C times")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    p = torch.sigmoid(z @ A.T + V.T[y])
    return p[:, None].repeat(1, V.shape[1], 1)


@wrong("analogies", "V is reshaped to (C, D) instead of transposed")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    return torch.sigmoid((z @ A.T)[:, None] + V.reshape(1, V.shape[1], V.shape[0]))


@wrong("analogies", "A is reshaped to (K, D) instead of transposed")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    return torch.sigmoid((z @ A.reshape(A.shape[1], A.shape[0]))[:, None] + V.T[None])


@wrong("analogies", "codes.reshape(B C, K)[y]: always a code of the first image, as the rows' offsets are forgotten")
def analogies(codes, y, A, V):
    z = codes.reshape(-1, codes.shape[2])[y]
    return torch.sigmoid((z @ A.T)[:, None] + V.T[None])


@wrong("analogies", "the own class's column of V is subtracted: V e_c - V e_y")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    return torch.sigmoid((z @ A.T - V.T[y])[:, None] + V.T[None])


@wrong("analogies", "the class term is forgotten: A z alone, the same in every column")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    return torch.sigmoid((z @ A.T)[:, None].repeat(1, V.shape[1], 1))


@wrong("analogies", "the product of sigmoid(A z) and sigmoid(V e_c), not the sigmoid of the sum")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    return torch.sigmoid(z @ A.T)[:, None] * torch.sigmoid(V.T)[None]


@wrong("analogies", "the pictures are thresholded at one half: zeros and ones, not probabilities")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    return (torch.sigmoid((z @ A.T)[:, None] + V.T[None]) > 0.5).double()


@wrong("analogies", "computed as (C, B, D) and reshaped, not permuted, to (B, C, D)")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y]
    p = torch.sigmoid((z @ A.T)[None] + V.T[:, None])
    return p.reshape(len(y), V.shape[1], A.shape[0])


@wrong("analogies", "two mistakes: the code of class y - 1 is taken, and the sigmoid's argument has the wrong sign")
def analogies(codes, y, A, V):
    z = codes[torch.arange(len(y)), y - 1]
    return torch.sigmoid(-((z @ A.T)[:, None] + V.T[None]))


@wrong("analogies", "two mistakes: codes[b, c] for each class, and the own label's column of V in every column")
def analogies(codes, y, A, V):
    return torch.sigmoid(codes @ A.T + V.T[y][:, None])

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


# ---- exercise 1

def _resp(log_joint, y):
    r = log_joint.softmax(dim=1)
    mask = y >= 0
    r[mask] = F.one_hot(y[mask], log_joint.shape[1]).to(r.dtype)
    return r


def _m(r, x):
    n = r.sum(dim=0)
    return r, n / len(x), r.T @ x / n[:, None]


@wrong("partial_em_step", "the labels are ignored: all rows are p(y|x)")
def partial_em_step(log_joint, y, x):
    return _m(log_joint.softmax(dim=1), x)


@wrong("partial_em_step", "the softmax over the images (dim 0) instead of the classes")
def partial_em_step(log_joint, y, x):
    r = log_joint.softmax(dim=0)
    mask = y >= 0
    r[mask] = F.one_hot(y[mask], log_joint.shape[1]).to(r.dtype)
    return _m(r, x)


@wrong("partial_em_step", "exp and division without a shift: nan where all densities of an image underflow")
def partial_em_step(log_joint, y, x):
    p = log_joint.exp()
    r = p / p.sum(dim=1, keepdim=True)
    mask = y >= 0
    r[mask] = F.one_hot(y[mask], log_joint.shape[1]).to(r.dtype)
    return _m(r, x)


@wrong("partial_em_step", "hard assignment of the images without a label to their most probable class")
def partial_em_step(log_joint, y, x):
    c = torch.where(y >= 0, y, log_joint.argmax(dim=1))
    return _m(F.one_hot(c, log_joint.shape[1]).to(x.dtype), x)


@wrong("partial_em_step", "y > 0 for y >= 0: images of class 0 count as without a label")
def partial_em_step(log_joint, y, x):
    return _m(_resp(log_joint, torch.where(y > 0, y, -torch.ones_like(y))), x)


@wrong("partial_em_step", "the means are divided by N instead of N_c")
def partial_em_step(log_joint, y, x):
    r = _resp(log_joint, y)
    return r, r.mean(dim=0), r.T @ x / len(x)


@wrong("partial_em_step", "the shares are N_c, not divided by N")
def partial_em_step(log_joint, y, x):
    r = _resp(log_joint, y)
    return r, r.sum(dim=0), _m(r, x)[2]


@wrong("partial_em_step", "the shares are counted over the images without a label only (over all, if all have one)")
def partial_em_step(log_joint, y, x):
    r = _resp(log_joint, y)
    free = r[y < 0] if (y < 0).any() else r
    return r, free.mean(dim=0), _m(r, x)[2]


@wrong("partial_em_step", "the shares and means have a pseudo-count of 1: (N_c + 1)/(N + C) and (Σ r x + 1)/(N_c + 2)")
def partial_em_step(log_joint, y, x):
    r = _resp(log_joint, y)
    n = r.sum(dim=0)
    return r, (n + 1) / (len(x) + r.shape[1]), (r.T @ x + 1) / (n[:, None] + 2)


@wrong("partial_em_step", "a known label sets its own responsibility to 1, but the other classes keep p(y|x)")
def partial_em_step(log_joint, y, x):
    r = log_joint.softmax(dim=1)
    mask = y >= 0
    r[mask, y[mask]] = 1.0
    return _m(r, x)


@wrong("partial_em_step", "-1 is used as an index: all images without a label count for the last class")
def partial_em_step(log_joint, y, x):
    return _m(torch.eye(log_joint.shape[1], dtype=x.dtype)[y], x)


@wrong("partial_em_step", "the responsibilities of labelled images are the one-hot row times p(y|x): not 1 but the label's probability")
def partial_em_step(log_joint, y, x):
    r = log_joint.softmax(dim=1)
    mask = y >= 0
    r[mask] = r[mask] * F.one_hot(y[mask], log_joint.shape[1]).to(r.dtype)
    return _m(r, x)


@wrong("partial_em_step", "the means are weighted by the softmax of log_joint also for labelled images; responsibilities and shares use the labels")
def partial_em_step(log_joint, y, x):
    r = _resp(log_joint, y)
    return r, r.mean(dim=0), _m(log_joint.softmax(dim=1), x)[2]


@wrong("partial_em_step", "one maximum of the whole table is subtracted before exp, with 1e-12 in the denominator: images of much lower density count for nothing")
def partial_em_step(log_joint, y, x):
    p = (log_joint - log_joint.max()).exp()
    r = p / (p.sum(dim=1, keepdim=True) + 1e-12)
    mask = y >= 0
    r[mask] = F.one_hot(y[mask], log_joint.shape[1]).to(r.dtype)
    return _m(r, x)


@wrong("partial_em_step", "two mistakes: the labels are ignored, and the means are divided by N instead of N_c")
def partial_em_step(log_joint, y, x):
    r = log_joint.softmax(dim=1)
    return r, r.mean(dim=0), r.T @ x / len(x)


# ---- exercise 2

def _kl(mu, log_sigma):
    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(dim=1)


@wrong("labelled_bound", "log p(y) is forgotten")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return log_likelihood.mean(dim=0) - _kl(mu, log_sigma)


@wrong("labelled_bound", "the classes are taken to be equally likely: -log C for log p(y)")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return log_likelihood.mean(dim=0) - _kl(mu, log_sigma) - math.log(len(class_log_prior))


@wrong("labelled_bound", "the KL divergence is added")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return class_log_prior[y] + log_likelihood.mean(dim=0) + _kl(mu, log_sigma)


@wrong("labelled_bound", "the sum over the draws instead of the mean")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return class_log_prior[y] + log_likelihood.sum(dim=0) - _kl(mu, log_sigma)


@wrong("labelled_bound", "log-mean-exp over the draws instead of the mean of logarithms")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    lme = log_likelihood.logsumexp(dim=0) - math.log(len(log_likelihood))
    return class_log_prior[y] + lme - _kl(mu, log_sigma)


@wrong("labelled_bound", "log_sigma is taken for the log-variance in the KL divergence")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + log_sigma.exp() - 1 - log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "log σ instead of 2 log σ in the KL divergence")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "σ instead of σ² in the KL divergence")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * (mu**2 + log_sigma.exp() - 1 - 2 * log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "the ½ of the KL divergence is forgotten")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return class_log_prior[y] + log_likelihood.mean(dim=0) - 2 * _kl(mu, log_sigma)


@wrong("labelled_bound", "the KL divergence is a mean over the code's dimensions instead of a sum")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return class_log_prior[y] + log_likelihood.mean(dim=0) - _kl(mu, log_sigma) / mu.shape[1]


@wrong("labelled_bound", "the -1 in the KL divergence is counted once, not once for each dimension")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * ((mu**2 + (2 * log_sigma).exp() - 2 * log_sigma).sum(dim=1) - 1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "the reverse KL divergence, KL(N(0, I) || q)")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    kl = 0.5 * ((1 + mu**2) * (-2 * log_sigma).exp() - 1 + 2 * log_sigma).sum(dim=1)
    return class_log_prior[y] + log_likelihood.mean(dim=0) - kl


@wrong("labelled_bound", "log p(y) is subtracted")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return log_likelihood.mean(dim=0) - _kl(mu, log_sigma) - class_log_prior[y]


@wrong("labelled_bound", "p(y) instead of log p(y): the prior is exponentiated")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return class_log_prior.exp()[y] + log_likelihood.mean(dim=0) - _kl(mu, log_sigma)


@wrong("labelled_bound", "the KL divergence is the mean over the batch, the same number for all images")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return class_log_prior[y] + log_likelihood.mean(dim=0) - _kl(mu, log_sigma).mean()


@wrong("labelled_bound", "only the first draw of z is used")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return class_log_prior[y] + log_likelihood[0] - _kl(mu, log_sigma)


@wrong("labelled_bound", "two mistakes: log p(y) is forgotten, and log_sigma is taken for the log-variance")
def labelled_bound(log_likelihood, mu, log_sigma, class_log_prior, y):
    return log_likelihood.mean(dim=0) - 0.5 * (mu**2 + log_sigma.exp() - 1 - log_sigma).sum(dim=1)


# ---- exercise 3

def _h(logits):
    log_q = logits.log_softmax(dim=1)
    return -(log_q.exp() * log_q).sum(dim=1)


def _u(bounds, logits):
    return (logits.softmax(dim=1) * bounds).sum(dim=1) + _h(logits)


@wrong("unlabelled_bound", "the entropy is forgotten")
def unlabelled_bound(bounds, logits):
    return (logits.softmax(dim=1) * bounds).sum(dim=1)


@wrong("unlabelled_bound", "the entropy is subtracted")
def unlabelled_bound(bounds, logits):
    return (logits.softmax(dim=1) * bounds).sum(dim=1) - _h(logits)


@wrong("unlabelled_bound", "q log q by the logarithm of the softmax: 0 · -inf is nan where q underflows")
def unlabelled_bound(bounds, logits):
    q = logits.softmax(dim=1)
    return (q * (bounds - q.log())).sum(dim=1)


@wrong("unlabelled_bound", "q is clamped at 1e-2 'for safety', in both terms")
def unlabelled_bound(bounds, logits):
    q = logits.softmax(dim=1).clamp(min=1e-2)
    return (q * (bounds - q.log())).sum(dim=1)


@wrong("unlabelled_bound", "the softmax over the batch (dim 0) instead of the classes")
def unlabelled_bound(bounds, logits):
    log_q = logits.log_softmax(dim=0)
    return (log_q.exp() * (bounds - log_q)).sum(dim=1)


@wrong("unlabelled_bound", "the classifier is ignored: the log-sum-exp of the bounds, the best value that U can have")
def unlabelled_bound(bounds, logits):
    return bounds.logsumexp(dim=1)


@wrong("unlabelled_bound", "the entropy in bits")
def unlabelled_bound(bounds, logits):
    return (logits.softmax(dim=1) * bounds).sum(dim=1) + _h(logits) / math.log(2)


@wrong("unlabelled_bound", "the bounds of all classes are weighted equally, not by q")
def unlabelled_bound(bounds, logits):
    return bounds.mean(dim=1) + _h(logits)


@wrong("unlabelled_bound", "only the classifier's most probable class's bound, plus the entropy")
def unlabelled_bound(bounds, logits):
    return bounds.gather(1, logits.argmax(dim=1, keepdim=True))[:, 0] + _h(logits)


@wrong("unlabelled_bound", "the mean over the classes of q L - q log q instead of the sum")
def unlabelled_bound(bounds, logits):
    return _u(bounds, logits) / bounds.shape[1]


@wrong("unlabelled_bound", "the logits are taken for log q without normalising in the entropy: -Σ q·logit")
def unlabelled_bound(bounds, logits):
    return (logits.softmax(dim=1) * (bounds - logits)).sum(dim=1)


@wrong("unlabelled_bound", "the entropy is added within the sum over y without q, once for each class: C·H")
def unlabelled_bound(bounds, logits):
    q = logits.softmax(dim=1)
    return (q * bounds + _h(logits)[:, None]).sum(dim=1)


@wrong("unlabelled_bound", "log Σ q e^L, the logarithm of the mean instead of the mean of the bounds; without the entropy")
def unlabelled_bound(bounds, logits):
    return (logits.log_softmax(dim=1) + bounds).logsumexp(dim=1)


@wrong("unlabelled_bound", "a uniform prior's log C is subtracted again, although the bounds hold log p(y): minus the KL divergence from uniform instead of the entropy")
def unlabelled_bound(bounds, logits):
    return _u(bounds, logits) - math.log(bounds.shape[1])


@wrong("unlabelled_bound", "sigmoids of the logits instead of the softmax, as q")
def unlabelled_bound(bounds, logits):
    q = torch.sigmoid(logits)
    return (q * bounds - q * F.logsigmoid(logits)).sum(dim=1)


@wrong("unlabelled_bound", "two mistakes: the entropy is subtracted, and is in bits")
def unlabelled_bound(bounds, logits):
    return (logits.softmax(dim=1) * bounds).sum(dim=1) - _h(logits) / math.log(2)


# ---- exercise 4

def _gap(bounds, logits):
    log_q = logits.log_softmax(dim=1)
    return (log_q.exp() * (log_q - bounds.log_softmax(dim=1))).sum(dim=1)


@wrong("best_classifier", "best is the largest of the bounds instead of their log-sum-exp")
def best_classifier(bounds, logits):
    return bounds.max(dim=1).values, bounds.log_softmax(dim=1), _gap(bounds, logits)


@wrong("best_classifier", "best is the log-mean-exp: log C too small")
def best_classifier(bounds, logits):
    best = bounds.logsumexp(dim=1) - math.log(bounds.shape[1])
    return best, bounds.log_softmax(dim=1), _gap(bounds, logits)


@wrong("best_classifier", "best is U of the given q instead of the largest U")
def best_classifier(bounds, logits):
    gap = _gap(bounds, logits)
    return bounds.logsumexp(dim=1) - gap, bounds.log_softmax(dim=1), gap


@wrong("best_classifier", "the gap is the KL divergence in the wrong direction, KL(s || q)")
def best_classifier(bounds, logits):
    return bounds.logsumexp(dim=1), bounds.log_softmax(dim=1), _gap(logits, bounds)


@wrong("best_classifier", "the gap has the wrong sign")
def best_classifier(bounds, logits):
    return bounds.logsumexp(dim=1), bounds.log_softmax(dim=1), -_gap(bounds, logits)


@wrong("best_classifier", "s instead of log s is returned")
def best_classifier(bounds, logits):
    return bounds.logsumexp(dim=1), bounds.softmax(dim=1), _gap(bounds, logits)


@wrong("best_classifier", "log s is not normalised: the bounds themselves are returned")
def best_classifier(bounds, logits):
    return bounds.logsumexp(dim=1), bounds.clone(), _gap(bounds, logits)


@wrong("best_classifier", "best as log Σ exp without a shift: -inf for bounds of -1500")
def best_classifier(bounds, logits):
    return bounds.exp().sum(dim=1).log(), bounds.log_softmax(dim=1), _gap(bounds, logits)


@wrong("best_classifier", "in the gap q is not normalised in its logarithm: the logits stand for log q")
def best_classifier(bounds, logits):
    gap = (logits.softmax(dim=1) * (logits - bounds.log_softmax(dim=1))).sum(dim=1)
    return bounds.logsumexp(dim=1), bounds.log_softmax(dim=1), gap


@wrong("best_classifier", "the gap is the cross-entropy -Σ q log s: the entropy of q is forgotten")
def best_classifier(bounds, logits):
    log_s = bounds.log_softmax(dim=1)
    return bounds.logsumexp(dim=1), log_s, -(logits.softmax(dim=1) * log_s).sum(dim=1)


@wrong("best_classifier", "s is clamped at 1e-10 in the gap and in log s")
def best_classifier(bounds, logits):
    log_s = bounds.softmax(dim=1).clamp(min=1e-10).log()
    log_q = logits.log_softmax(dim=1)
    return bounds.logsumexp(dim=1), log_s, (log_q.exp() * (log_q - log_s)).sum(dim=1)


@wrong("best_classifier", "q log q with the logarithm of the softmax: nan in the gap where q underflows")
def best_classifier(bounds, logits):
    q, log_s = logits.softmax(dim=1), bounds.log_softmax(dim=1)
    return bounds.logsumexp(dim=1), log_s, (q * (q.log() - log_s)).sum(dim=1)


@wrong("best_classifier", "the gap is the best value minus Σ q L: the entropy is forgotten in U")
def best_classifier(bounds, logits):
    best = bounds.logsumexp(dim=1)
    return best, bounds.log_softmax(dim=1), best - (logits.softmax(dim=1) * bounds).sum(dim=1)


@wrong("best_classifier", "log s is the classifier's log q(y|x) instead of the softmax of the bounds")
def best_classifier(bounds, logits):
    return bounds.logsumexp(dim=1), logits.log_softmax(dim=1), _gap(bounds, logits)


@wrong("best_classifier", "the gap is divided by C: a mean over the classes")
def best_classifier(bounds, logits):
    return bounds.logsumexp(dim=1), bounds.log_softmax(dim=1), _gap(bounds, logits) / bounds.shape[1]


@wrong("best_classifier", "two mistakes: best is the largest bound, and the gap is KL(s || q)")
def best_classifier(bounds, logits):
    return bounds.max(dim=1).values, bounds.log_softmax(dim=1), _gap(logits, bounds)


# ---- exercise 5

def _labelled(bounds, logits, y, alpha):
    i = y.clamp(min=0)[:, None]
    return bounds.gather(1, i)[:, 0] + alpha * logits.log_softmax(dim=1).gather(1, i)[:, 0]


@wrong("semi_supervised_objective", "the classifier's term α log q(y|x) is forgotten")
def semi_supervised_objective(bounds, logits, y, alpha):
    return torch.where(y >= 0, _labelled(bounds, logits, y, 0.0), _u(bounds, logits))


@wrong("semi_supervised_objective", "the classifier's term is subtracted, as if it were a loss")
def semi_supervised_objective(bounds, logits, y, alpha):
    return torch.where(y >= 0, _labelled(bounds, logits, y, -alpha), _u(bounds, logits))


@wrong("semi_supervised_objective", "α is ignored: always 1")
def semi_supervised_objective(bounds, logits, y, alpha):
    return torch.where(y >= 0, _labelled(bounds, logits, y, 1.0), _u(bounds, logits))


@wrong("semi_supervised_objective", "all images contribute U, labelled ones besides α log q(y|x)")
def semi_supervised_objective(bounds, logits, y, alpha):
    log_q = logits.log_softmax(dim=1).gather(1, y.clamp(min=0)[:, None])[:, 0]
    return _u(bounds, logits) + alpha * log_q * (y >= 0)


@wrong("semi_supervised_objective", "labelled images contribute U as well as their own term")
def semi_supervised_objective(bounds, logits, y, alpha):
    return _u(bounds, logits) + (y >= 0) * _labelled(bounds, logits, y, alpha)


@wrong("semi_supervised_objective", "-1 is used as an index: images without a label count as labelled with the last class")
def semi_supervised_objective(bounds, logits, y, alpha):
    i = torch.arange(len(y))
    return bounds[i, y] + alpha * logits.log_softmax(dim=1)[i, y]


@wrong("semi_supervised_objective", "y > 0 for y >= 0: images of class 0 count as without a label")
def semi_supervised_objective(bounds, logits, y, alpha):
    return torch.where(y > 0, _labelled(bounds, logits, y, alpha), _u(bounds, logits))


@wrong("semi_supervised_objective", "α times the logit of the label, not normalised, instead of log q")
def semi_supervised_objective(bounds, logits, y, alpha):
    i = y.clamp(min=0)[:, None]
    lab = (bounds + alpha * logits).gather(1, i)[:, 0]
    return torch.where(y >= 0, lab, _u(bounds, logits))


@wrong("semi_supervised_objective", "α q(y|x) instead of α log q(y|x)")
def semi_supervised_objective(bounds, logits, y, alpha):
    i = y.clamp(min=0)[:, None]
    lab = (bounds + alpha * logits.softmax(dim=1)).gather(1, i)[:, 0]
    return torch.where(y >= 0, lab, _u(bounds, logits))


@wrong("semi_supervised_objective", "log of the softmax for labelled images: -inf where q(y|x) underflows (nan for α = 0)")
def semi_supervised_objective(bounds, logits, y, alpha):
    i = y.clamp(min=0)[:, None]
    lab = (bounds + alpha * logits.softmax(dim=1).log()).gather(1, i)[:, 0]
    return torch.where(y >= 0, lab, _u(bounds, logits))


@wrong("semi_supervised_objective", "log(q + 1e-8) for labelled images: a label cannot cost more than 18.4 α nats")
def semi_supervised_objective(bounds, logits, y, alpha):
    i = y.clamp(min=0)[:, None]
    lab = (bounds + alpha * (logits.softmax(dim=1) + 1e-8).log()).gather(1, i)[:, 0]
    return torch.where(y >= 0, lab, _u(bounds, logits))


@wrong("semi_supervised_objective", "the terms are divided by the number of labelled or of unlabelled images: means for sums")
def semi_supervised_objective(bounds, logits, y, alpha):
    n = (y >= 0).sum().clamp(min=1)
    m = (y < 0).sum().clamp(min=1)
    return torch.where(y >= 0, _labelled(bounds, logits, y, alpha) / n, _u(bounds, logits) / m)


@wrong("semi_supervised_objective", "the entropy is forgotten for images without a label")
def semi_supervised_objective(bounds, logits, y, alpha):
    u = (logits.softmax(dim=1) * bounds).sum(dim=1)
    return torch.where(y >= 0, _labelled(bounds, logits, y, alpha), u)


@wrong("semi_supervised_objective", "the whole labelled term is multiplied by α: α (L + log q)")
def semi_supervised_objective(bounds, logits, y, alpha):
    return torch.where(y >= 0, alpha * _labelled(bounds, logits, y, 1.0), _u(bounds, logits))


@wrong("semi_supervised_objective", "α weighs U of the images without a label, instead of log q(y|x)")
def semi_supervised_objective(bounds, logits, y, alpha):
    return torch.where(y >= 0, _labelled(bounds, logits, y, 1.0), alpha * _u(bounds, logits))


@wrong("semi_supervised_objective", "images without a label contribute log Σ e^L, whatever the classifier says")
def semi_supervised_objective(bounds, logits, y, alpha):
    return torch.where(y >= 0, _labelled(bounds, logits, y, alpha), bounds.logsumexp(dim=1))


@wrong("semi_supervised_objective", "two mistakes: the entropy is subtracted for images without a label, and α is ignored (1)")
def semi_supervised_objective(bounds, logits, y, alpha):
    u = (logits.softmax(dim=1) * bounds).sum(dim=1) - _h(logits)
    return torch.where(y >= 0, _labelled(bounds, logits, y, 1.0), u)


@wrong("semi_supervised_objective", "the values are right, but the argument y is changed in place: -1 becomes 0")
def semi_supervised_objective(bounds, logits, y, alpha):
    known = y >= 0
    y[~known] = 0
    return torch.where(known, _labelled(bounds, logits, y, alpha), _u(bounds, logits))


# ---- exercise 6

@wrong("told_the_class", "no ReLU")
def told_the_class(x, W, V, b):
    return V.T[:, None] + (x @ W.T)[None] + b


@wrong("told_the_class", "b is forgotten")
def told_the_class(x, W, V, b):
    return torch.relu(V.T[:, None] + (x @ W.T)[None])


@wrong("told_the_class", "V e_c is added after the ReLU, not within it")
def told_the_class(x, W, V, b):
    return V.T[:, None] + torch.relu(x @ W.T + b)[None]


@wrong("told_the_class", "b is added after the ReLU")
def told_the_class(x, W, V, b):
    return torch.relu(V.T[:, None] + (x @ W.T)[None]) + b


@wrong("told_the_class", "b is counted twice, with W x and with V e_c")
def told_the_class(x, W, V, b):
    return torch.relu((V.T + b)[:, None] + (x @ W.T + b)[None])


@wrong("told_the_class", "images first in memory, then reshaped instead of transposed: (B, C, H) read as (C, B, H)")
def told_the_class(x, W, V, b):
    h = torch.relu((x @ W.T)[:, None] + V.T[None] + b)
    return h.reshape(V.shape[1], len(x), -1)


@wrong("told_the_class", "V is reshaped to (C, H) instead of transposed")
def told_the_class(x, W, V, b):
    return torch.relu(V.reshape(V.shape[1], V.shape[0])[:, None] + (x @ W.T)[None] + b)


@wrong("told_the_class", "the class is ignored: the same features for all classes")
def told_the_class(x, W, V, b):
    return torch.relu(x @ W.T + b)[None].repeat(V.shape[1], 1, 1)


@wrong("told_the_class", "every class's features get the sum of all columns of V (a vector of ones for e_c)")
def told_the_class(x, W, V, b):
    return torch.relu(x @ W.T + V.sum(dim=1) + b)[None].repeat(V.shape[1], 1, 1)


@wrong("told_the_class", "ReLU on W x + b and on V e_c apart, then added")
def told_the_class(x, W, V, b):
    return torch.relu(V.T)[:, None] + torch.relu(x @ W.T + b)[None]


@wrong("told_the_class", "the classes are counted from 1: class c gets column c + 1, and the last one the first")
def told_the_class(x, W, V, b):
    return torch.relu(V.roll(-1, dims=1).T[:, None] + (x @ W.T)[None] + b)


@wrong("told_the_class", "V e_c multiplies W x (a gate) instead of being added")
def told_the_class(x, W, V, b):
    return torch.relu(V.T[:, None] * (x @ W.T)[None] + b)


@wrong("told_the_class", "the number of the class times the sum over V's columns, V (c, ..., c), instead of a one-hot vector")
def told_the_class(x, W, V, b):
    c = torch.arange(V.shape[1], dtype=x.dtype)
    return torch.relu(c[:, None, None] * V.sum(dim=1) + (x @ W.T)[None] + b)


@wrong("told_the_class", "accumulates in place: class c gets the columns 0 to c of V together")
def told_the_class(x, W, V, b):
    return torch.relu(V.cumsum(dim=1).T[:, None] + (x @ W.T)[None] + b)


@wrong("told_the_class", "a leaky ReLU with slope 0.01")
def told_the_class(x, W, V, b):
    return F.leaky_relu(V.T[:, None] + (x @ W.T)[None] + b, 0.01)


@wrong("told_the_class", "two mistakes: b is forgotten, and V e_c is added after the ReLU")
def told_the_class(x, W, V, b):
    return V.T[:, None] + torch.relu(x @ W.T)[None]


# ---- exercise 7

def _own(codes, y):
    return codes[torch.arange(len(y)), y]


@wrong("analogies", "the code asked with the drawn class, codes[b, c], instead of the image's own label's")
def analogies(codes, y, A, V):
    return torch.sigmoid(codes @ A.T + V.T[None])


@wrong("analogies", "the logits are returned: no sigmoid")
def analogies(codes, y, A, V):
    return (_own(codes, y) @ A.T)[:, None] + V.T[None]


@wrong("analogies", "the mean code over all classes as style")
def analogies(codes, y, A, V):
    return torch.sigmoid((codes.mean(dim=1) @ A.T)[:, None] + V.T[None])


@wrong("analogies", "the code of class 0 as style, for every image")
def analogies(codes, y, A, V):
    return torch.sigmoid((codes[:, 0] @ A.T)[:, None] + V.T[None])


@wrong("analogies", "the image's own class is drawn everywhere: V e_y instead of V e_c")
def analogies(codes, y, A, V):
    p = torch.sigmoid(_own(codes, y) @ A.T + V.T[y])
    return p[:, None].repeat(1, V.shape[1], 1)


@wrong("analogies", "softmax over the pixels instead of sigmoids")
def analogies(codes, y, A, V):
    return ((_own(codes, y) @ A.T)[:, None] + V.T[None]).softmax(dim=-1)


@wrong("analogies", "softmax over the classes instead of sigmoids")
def analogies(codes, y, A, V):
    return ((_own(codes, y) @ A.T)[:, None] + V.T[None]).softmax(dim=1)


@wrong("analogies", "the class's term is forgotten: all classes look alike")
def analogies(codes, y, A, V):
    return torch.sigmoid(_own(codes, y) @ A.T)[:, None].repeat(1, V.shape[1], 1)


@wrong("analogies", "the style is forgotten: z = 0, the same row for every image")
def analogies(codes, y, A, V):
    return torch.sigmoid(V.T)[None].repeat(len(codes), 1, 1)


@wrong("analogies", "the class's term is added after the sigmoid, and clipped to [0, 1]")
def analogies(codes, y, A, V):
    return (torch.sigmoid(_own(codes, y) @ A.T)[:, None] + V.T[None]).clamp(0, 1)


@wrong("analogies", "computed classes first and reshaped instead of transposed: (C, B, D) read as (B, C, D)")
def analogies(codes, y, A, V):
    p = torch.sigmoid((_own(codes, y) @ A.T)[None] + V.T[:, None])
    return p.reshape(len(codes), V.shape[1], -1)


@wrong("analogies", "the own class's term is added besides that of the drawn class: V e_c + V e_y")
def analogies(codes, y, A, V):
    return torch.sigmoid((_own(codes, y) @ A.T + V.T[y])[:, None] + V.T[None])


@wrong("analogies", "two mistakes: each class is drawn with the code asked with that class, codes[b, c], and the image's own class with the mean code of all classes")
def analogies(codes, y, A, V):
    z = codes.clone()
    z[torch.arange(len(y)), y] = codes.mean(dim=1)
    return torch.sigmoid(z @ A.T + V.T[None])


@wrong("analogies", "the probabilities are rounded to black and white")
def analogies(codes, y, A, V):
    return (torch.sigmoid((_own(codes, y) @ A.T)[:, None] + V.T[None]) > 0.5).to(codes.dtype)


@wrong("analogies", "the first image's codes for every row: codes[0, y_b] instead of codes[b, y_b]")
def analogies(codes, y, A, V):
    return torch.sigmoid((codes[0, y] @ A.T)[:, None] + V.T[None])


@wrong("analogies", "V is reshaped to (C, D) instead of transposed")
def analogies(codes, y, A, V):
    return torch.sigmoid((_own(codes, y) @ A.T)[:, None] + V.reshape(V.shape[1], V.shape[0])[None])


@wrong("analogies", "two mistakes: the mean code over all classes as style, and no sigmoid")
def analogies(codes, y, A, V):
    return (codes.mean(dim=1) @ A.T)[:, None] + V.T[None]

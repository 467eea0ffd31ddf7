"""The classic mistakes in scores of disentanglement, each made on purpose: every one must break a law."""

import math

import torch
from support.mutation import law_tests

from vaeedu.sampling import seeded


def close(a, b, within=1e-9):
    torch.testing.assert_close(a, b, rtol=0, atol=within)


def every(*sizes):
    """All combinations of values 0 … size − 1: factors that are exactly independent."""
    return torch.cartesian_prod(*(torch.arange(float(size)) for size in sizes)).double()


def gap_law(d):
    """Entries that are factors, copies, and mixtures: gaps known by hand."""
    a = every(2, 3, 5)
    close(d.mig(a, a), torch.ones(3).double())
    close(d.mig(torch.cat([a, a[:, 1:2]], dim=1), a), torch.tensor([1.0, 0.0, 1.0]).double())
    # An entry with half of a factor of four values, another with one of its two bits' worth: log 2 of log 4 each.
    b = every(4, 2)
    halves = torch.stack([b[:, 0] // 2, b[:, 1]], dim=1)
    close(d.mig(halves, b), torch.tensor([0.5, 1.0]).double())
    close(d.mutual_informations(halves, b).information, math.log(2) * torch.eye(2).double())


def bias_law(d):
    """Independent columns have the information of the sampling error alone: about (bins − 1)² / 2N."""
    z = torch.rand(4000, 2, generator=seeded(0), dtype=torch.float64)
    found = d.mutual_informations(z[:, :1], z[:, 1:], num_bins=10).information
    assert 0.3 < float(found) / (81 / 8000) < 2.5


def importance_law(d):
    """Rows and columns of a table by hand; unused entries do not count, and the scale of the table does not."""
    R = torch.tensor([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 6.0], [0.0, 0.0, 0.0]]).double()
    D, C = d.dci_from_importances(R)
    close(D, torch.tensor((2 + 2 * (1 - math.log(2) / math.log(3)) + 6) / 10, dtype=torch.float64))
    third = -(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3)) / math.log(4)
    close(C, torch.tensor([1 - third, 1.0, 1.0], dtype=torch.float64))
    close(d.dci_from_importances(7 * R)[0], D)


def dci_law(d):
    """Units of codes and factors do not count; what is read off is as good as the codes."""
    a = every(3, 4, 5)
    z = a * torch.tensor([1.0, 100.0, 0.01]).double() + 50
    scores = d.dci(z, 10 * a, ridge=1e-6)
    close(scores.disentanglement, torch.ones(()).double(), 1e-4)
    close(scores.importance, torch.eye(3).double(), 1e-4)
    close(scores.informativeness, torch.ones(3).double(), 1e-4)
    negative = d.dci(-z, a, ridge=1e-6)
    close(negative.importance, torch.eye(3).double(), 1e-4)
    blind = d.dci(torch.cat([z[:, :2], torch.ones(60, 1).double()], dim=1), a[:, :2])
    close(blind.importance[2], torch.zeros(2).double())


def pairs_law(d):
    """Codes that know one factor tell it from the others; the pairs agree in one factor and in no other."""
    seen = []

    def encode(a):
        seen.append(a)
        return a

    def draw(n, g):
        return torch.rand(n, 3, generator=g)

    score = d.beta_vae_score(encode, draw, num_votes=90, num_pairs=4, generator=seeded(0))
    assert float(score) > 0.95
    agree = (seen[0] == seen[1]).sum(dim=1)
    assert torch.equal(agree, torch.ones(360).long())
    per_vote = (seen[0] == seen[1]).view(90, 4, 3)
    assert bool((per_vote == per_vote[:, :1]).all())
    guess = d.beta_vae_score(torch.zeros_like, draw, num_votes=300, num_pairs=4, generator=seeded(0))
    assert abs(float(guess) - 1 / 3) < 0.1


INFORMATION, WEIGHTS, PAIRS = "information", "weights", "pairs"
MUTANTS = [
    (gap_law, INFORMATION, "return (best[0] - best[1]) / entropy", "return best[0] - best[1]"),
    (gap_law, INFORMATION, "return (best[0] - best[1]) / entropy", "return best[0] / entropy"),
    (
        gap_law,
        INFORMATION,
        "best = information.topk(2, dim=0).values",
        "best = information.T[:2].topk(2, dim=0).values",
    ),
    (gap_law, INFORMATION, "return float(-(p * p.log()).sum())", "return float(-(p * p.log2()).sum())"),
    (gap_law, INFORMATION, "joint = (i * width + j).bincount()", "joint = (i * width).bincount()"),
    (
        bias_law,
        INFORMATION,
        "_entropy(j.bincount()) - _entropy(joint), 0.0)",
        "_entropy(j.bincount()) - _entropy(joint), 0.5)",
    ),
    (bias_law, INFORMATION, "return first * num_bins // len(column)", "return first"),
    (
        importance_law,
        WEIGHTS,
        "return (of_entry / of_entry.sum()) @ disentangled, complete",
        "return disentangled.mean(), complete",
    ),
    (
        importance_law,
        WEIGHTS,
        "torch.special.entr(rows).sum(dim=1) / log_F",
        "torch.special.entr(rows).sum(dim=1) / log_K",
    ),
    (
        importance_law,
        WEIGHTS,
        "torch.special.entr(R / of_factor).sum(dim=0) / log_K",
        "torch.special.entr(R / of_factor).sum(dim=0) / log_F",
    ),
    (
        importance_law,
        WEIGHTS,
        "rows = R / of_entry.where(of_entry > 0, 1.0)[:, None]",
        "rows = R / of_factor",
    ),
    (
        dci_law,
        WEIGHTS,
        "standard_z = ((z - z.mean(dim=0)) / z_spread.where(z_spread > 0, torch.inf)).double()",
        "standard_z = (z - z.mean(dim=0)).double()",
    ),
    (
        dci_law,
        WEIGHTS,
        "standard_a = ((a - a.mean(dim=0)) / spread).double()",
        "standard_a = (a / spread).double()",
    ),
    (dci_law, WEIGHTS, "weights.abs().to(z))", "weights.to(z))"),
    (
        pairs_law,
        PAIRS,
        "second = second.scatter(1, of_pair, first.gather(1, of_pair))",
        "second = first.scatter(1, of_pair, second.gather(1, of_pair))",
    ),
    (pairs_law, PAIRS, "common.repeat_interleave(L)[:, None]", "common.repeat(L)[:, None]"),
    (pairs_law, PAIRS, "(encode(first) - encode(second)).abs()", "(encode(first) - encode(second))"),
]
test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("disentanglement", MUTANTS)

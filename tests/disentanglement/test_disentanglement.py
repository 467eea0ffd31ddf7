"""Scores of codes that are the factors, of codes that are not, and against cases by hand."""

import math

import pytest
import torch
from sklearn.metrics import mutual_info_score

from vaeedu import data, disentanglement
from vaeedu.sampling import seeded


def uniform(*shape, seed=0):
    return torch.rand(shape, generator=seeded(seed), dtype=torch.float64)


def close(a, b, within=1e-10):
    torch.testing.assert_close(a, b, rtol=0, atol=within)


def test_mutual_information_is_scikit_learns():
    z, a = (uniform(300, n, seed=n).mul(6).floor() for n in (3, 2))
    z[:, 0] = a[:, 1] + z[:, 0] // 3
    information, entropy = disentanglement.mutual_informations(z, a)
    for k in range(3):
        for f in range(2):
            expected = mutual_info_score(z[:, k].numpy(), a[:, f].numpy())
            assert float(information[k, f]) == pytest.approx(expected, abs=1e-12)
    close(entropy[0], torch.tensor(mutual_info_score(a[:, 0].numpy(), a[:, 0].numpy()), dtype=torch.float64))


def test_bins_are_equally_full_and_keep_equal_values_together():
    a = torch.arange(100.0)[:, None]
    _, entropy = disentanglement.mutual_informations(a, a, num_bins=10)
    assert float(entropy[0]) == pytest.approx(math.log(10))
    monotone = disentanglement.mutual_informations((a / 10).exp(), a, num_bins=10).information
    assert float(monotone[0, 0]) == pytest.approx(math.log(10))
    ties = torch.cat([torch.zeros(50), torch.arange(1.0, 51)])[:, None]
    counts = disentanglement.mutual_informations(ties, ties, num_bins=10).entropy
    expected = -(0.5 * math.log(0.5) + 5 * 0.1 * math.log(0.1))
    assert float(counts[0]) == pytest.approx(expected)


def test_codes_that_are_the_factors_score_one_and_rotated_ones_less():
    """MIG falls to about 0, DCI by half, while a linear reader loses nothing, and the β-VAE score little."""
    a = (uniform(4000, 4) * 5).floor()
    turn = torch.tensor([[1.0, 1], [1, -1]]).double() / math.sqrt(2)
    rotated = a @ torch.block_diag(turn, turn)
    close(disentanglement.mig(a, a), torch.ones(4).double(), 0.02)
    assert float(disentanglement.mig(rotated, a).max()) < 0.05
    scores, worse = disentanglement.dci(a, a), disentanglement.dci(rotated, a)
    assert float(scores.disentanglement) > 0.9
    assert float(scores.completeness.min()) > 0.9
    assert float(worse.disentanglement) < 0.6
    close(scores.informativeness, torch.ones(4).double(), 1e-4)
    close(worse.informativeness, torch.ones(4).double(), 1e-4)

    def factors(n, generator):
        return torch.rand(n, 4, generator=generator)

    straight = disentanglement.beta_vae_score(lambda a: a, factors, generator=seeded(1))
    assert float(straight) > 0.99
    constant = disentanglement.beta_vae_score(torch.zeros_like, factors, generator=seeded(1))
    assert float(constant) < 0.4


def test_the_score_of_pairs_sees_images():
    """Two images that have the place in common, by their own mean position."""

    def place(factors):
        x = data.draw_shapes(factors, size=16)[:, 0]
        axis = torch.arange(16.0)
        mass = x.sum(dim=(1, 2))
        return torch.stack([x.sum(1) @ axis / mass, x.sum(2) @ axis / mass], dim=1)

    def draw(n, generator):
        return data.shapes(n, size=8, generator=generator)[1]

    score = disentanglement.beta_vae_score(place, draw, num_votes=200, num_pairs=8, generator=seeded(0))
    assert 0.35 < float(score) < 0.8  # x and y are known, the three others not


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: disentanglement.mig(uniform(9, 1), uniform(9, 2)),
            "codes must have at least two columns: a gap is between",
        ),
        (
            lambda: disentanglement.mig(uniform(9, 2), torch.ones(9, 1).double()),
            "factors must vary, but column 0 is constant",
        ),
        (
            lambda: disentanglement.mig(uniform(9, 2), uniform(8, 2)),
            "codes and factors must have as many rows, but have 9 and 8",
        ),
        (
            lambda: disentanglement.mig(uniform(9, 2), uniform(9, 2), num_bins=1),
            "num_bins must be at least 2, but is 1",
        ),
        (
            lambda: disentanglement.dci(uniform(9, 2), uniform(8, 2)),
            "codes and factors must have as many rows",
        ),
        (
            lambda: disentanglement.dci(uniform(9, 2), torch.ones(9, 2).double()),
            "factors must vary, but column 0 is constant",
        ),
        (
            lambda: disentanglement.dci(uniform(9, 2), uniform(9, 2), ridge=0.0),
            "ridge must be a finite number greater than 0",
        ),
        (
            lambda: disentanglement.dci_from_importances(uniform(1, 3)),
            "importance must have at least two rows and columns, but is 1 × 3",
        ),
        (lambda: disentanglement.dci_from_importances(-uniform(2, 3)), "importance must not be negative"),
        (
            lambda: disentanglement.dci_from_importances(torch.tensor([[1.0, 0], [1, 0]])),
            "column 1 is 0: no code entry knows this factor",
        ),
        (
            lambda: disentanglement.beta_vae_score(lambda a: a, lambda n, g: uniform(n, 3), num_votes=5),
            "at least two for each of at least two factors, but is 5, with 3",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

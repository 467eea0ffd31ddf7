"""The restricted Boltzmann machine against sums over all its states, and against torch's distributions."""

import itertools

import pytest
import torch

from vaeedu.boltzmann import RestrictedBoltzmannMachine
from vaeedu.sampling import seeded

f64 = torch.float64


def machine(D=4, K=3, seed=0):
    model = RestrictedBoltzmannMachine(D, K).double()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=seeded(seed + len(p)), dtype=f64))
    return model


def states(n):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=n)), dtype=f64)


def energies(model, D, K):
    """E(x, h) of all pairs, `(2^D, 2^K)`."""
    pairs = [(x, h) for x in states(D) for h in states(K)]
    x, h = (torch.stack(part) for part in zip(*pairs, strict=True))
    return model.energy(x, h).reshape(2**D, 2**K)


@pytest.mark.parametrize(("D", "K"), [(4, 3), (3, 5), (1, 1), (6, 2)])
def test_probabilities_add_up_to_one_whichever_layer_is_smaller(D, K):
    model = machine(D, K)
    assert abs(float(model.log_prob(states(D)).detach().logsumexp(dim=0))) < 1e-10
    total = (-energies(model, D, K)).flatten().logsumexp(dim=0)
    torch.testing.assert_close(model.log_partition(), total)


def test_the_free_energy_is_minus_the_log_of_the_sum_over_hidden_states():
    model = machine()
    torch.testing.assert_close(model.free_energy(states(4)), -(-energies(model, 4, 3)).logsumexp(dim=1))


def test_the_energy_is_the_sum_of_its_terms():
    model = machine()
    x, h = states(4)[11:12], states(3)[5:6]  # 1011 and 101
    on = model.weight[[0, 2, 3]][:, [0, 2]].sum()
    expected = -model.visible_bias[[0, 2, 3]].sum() - model.hidden_bias[[0, 2]].sum() - on
    torch.testing.assert_close(model.energy(x, h), expected[None])


def test_the_conditionals_are_those_of_the_joint():
    model = machine()
    joint = (-energies(model, 4, 3)).log_softmax(dim=1)  # log p(h|x)
    for j, h in enumerate(states(3)):
        torch.testing.assert_close(model.posterior(states(4)).log_prob(h.expand(16, 3)), joint[:, j])
    joint = (-energies(model, 4, 3)).log_softmax(dim=0)  # log p(x|h)
    for i, x in enumerate(states(4)):
        torch.testing.assert_close(model.likelihood(states(3)).log_prob(x.expand(8, 4)), joint[i])


def test_a_step_of_gibbs_sampling_leaves_the_distribution_as_it_is():
    model, n = machine(3, 2, seed=4), 20_000
    p = model.log_prob(states(3)).exp().detach()
    begin = states(3)[torch.multinomial(p, n, replacement=True, generator=seeded(0))]
    end = model.gibbs(begin, generator=seeded(1))
    counts = (end @ torch.tensor([4.0, 2, 1], dtype=f64)).long().bincount(minlength=8)
    assert abs(float(((counts - n * p).square() / (n * p)).sum()) - 7) < 5 * 14**0.5
    assert bool((begin != end).any())


def test_samples_come_as_often_as_their_probability_says():
    model, n = machine(3, 2, seed=4), 20_000
    p = model.log_prob(states(3)).exp().detach()
    drawn = model.sample(n, num_steps=60, generator=seeded(2))
    counts = (drawn @ torch.tensor([4.0, 2, 1], dtype=f64)).long().bincount(minlength=8)
    assert abs(float(((counts - n * p).square() / (n * p)).sum()) - 7) < 5 * 14**0.5


def test_the_gradient_of_contrastive_divergence_is_data_less_dreams():
    model = machine()
    x = states(4)[:9]
    model.contrastive_divergence(x, num_steps=2, generator=seeded(3)).sum().backward()
    dreams = model.gibbs(x, 2, generator=seeded(3))
    p, q = model.posterior(x).mean, model.posterior(dreams).mean
    torch.testing.assert_close(model.weight.grad, dreams.T @ q - x.T @ p)
    torch.testing.assert_close(model.hidden_bias.grad, (q - p).sum(dim=0))
    torch.testing.assert_close(model.visible_bias.grad, (dreams - x).sum(dim=0))


def test_with_long_chains_it_is_on_average_the_gradient_of_the_likelihood():
    model, S = machine(3, 2, seed=4), 40_000
    x = states(3)[5:6]
    (exact,) = torch.autograd.grad(-model.log_prob(x).sum(), model.weight)
    dreams = model.gibbs(x.expand(S, 3), 60, generator=seeded(5))
    each = (
        dreams[:, :, None] * model.posterior(dreams).mean[:, None] - x[0][:, None] * model.posterior(x).mean
    )
    error = each.std(dim=0) / S**0.5
    assert bool(((each.mean(dim=0) - exact).abs() <= 5 * error + 1e-12).all())


def test_training_raises_the_likelihood_and_a_generator_is_the_only_randomness():
    prototypes = torch.tensor([[1.0, 1, 1, 0, 0, 0], [0.0, 0, 0, 1, 1, 1]]).repeat(30, 1)
    results = []
    for _ in range(2):
        torch.manual_seed(0)
        model, g = RestrictedBoltzmannMachine(6, 4), seeded(0)
        before = float(model.log_prob(prototypes).mean().detach())
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(200):
            optimizer.zero_grad()
            model.contrastive_divergence(prototypes, generator=g).mean().backward()
            optimizer.step()
        results.append(float(model.log_prob(prototypes).mean().detach()))
    assert before < -4
    assert results[0] > -1.6  # the best is −log 2
    assert results[0] == results[1]


def test_a_layer_of_sixteen_units_is_still_summed_exactly():
    model = RestrictedBoltzmannMachine(16, 40).double()
    with torch.no_grad():
        model.weight.zero_()
        model.visible_bias.fill_(1.0)
    expected = 40 * torch.tensor(2.0, dtype=f64).log() + 16 * torch.tensor(1.0, dtype=f64).exp().log1p()
    torch.testing.assert_close(model.log_partition().detach(), expected)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda m: RestrictedBoltzmannMachine(0, 2),
            "num_visible must be a whole number of at least 1, but is 0",
        ),
        (
            lambda m: m.free_energy(torch.full((1, 4), 0.5)),
            "x must hold zeros and ones, but x",
        ),
        (lambda m: m.log_prob(torch.zeros(1, 5)), r"x must have 4 columns, but has shape \(1, 5\)"),
        (lambda m: m.likelihood(torch.full((1, 3), 2.0)), "h must hold zeros and ones"),
        (
            lambda m: m.energy(torch.zeros(2, 4), torch.zeros(1, 3)),
            "h must have a row for each of the 2 rows",
        ),
        (lambda m: m.gibbs(torch.zeros(1, 4), 0), "num_steps must be a whole number of at least 1, but is 0"),
        (lambda m: m.sample(0), "n must be a whole number of at least 1, but is 0"),
        (
            lambda m: RestrictedBoltzmannMachine(20, 17).log_partition(),
            "one layer must have at most 16 units for an exact log Z, but they have 20 and 17: log Z is a sum",
        ),
    ],
)
def test_refuses(call, words):
    with pytest.raises(ValueError, match=words):
        call(RestrictedBoltzmannMachine(4, 3))

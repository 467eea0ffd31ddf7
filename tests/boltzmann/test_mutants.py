"""The classic mistakes in a restricted Boltzmann machine, each made on purpose: every one must break a law."""

import itertools

import torch
from support.mutation import law_tests

f64 = torch.float64


def machine(boltzmann, D=4, K=3):
    g = torch.Generator().manual_seed(0)
    model = boltzmann.RestrictedBoltzmannMachine(D, K).double()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=g, dtype=f64))
    return model


def states(n):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=n)), dtype=f64)


def sum_law(boltzmann):
    """Over all x, p(x) adds up to one, whichever layer is the smaller."""
    for D, K in ((4, 3), (3, 5)):
        model = machine(boltzmann, D, K)
        torch.testing.assert_close(model.log_prob(states(D)).exp().sum(), torch.tensor(1.0, dtype=f64))


def energy_law(boltzmann):
    """The free energy is −log Σ_h exp(−E), and E is what the paper says."""
    model = machine(boltzmann)
    W, b, c = model.weight, model.visible_bias, model.hidden_bias
    x = states(4)
    energies = torch.stack([model.energy(x, h.expand(16, 3)) for h in states(3)], dim=1)
    by_hand = -(x @ b)[:, None] - (states(3) @ c) - x @ W @ states(3).T
    torch.testing.assert_close(energies, by_hand)
    torch.testing.assert_close(model.free_energy(x), -(-energies).logsumexp(dim=1))


def conditional_law(boltzmann):
    """p(h|x) and p(x|h) are the energies, normalised."""
    model = machine(boltzmann)
    energies = torch.stack([model.energy(states(4), h.expand(16, 3)) for h in states(3)], dim=1)
    for j, h in enumerate(states(3)):
        given_x = model.posterior(states(4)).log_prob(h.expand(16, 3))
        torch.testing.assert_close(given_x, (-energies).log_softmax(dim=1)[:, j])
        given_h = model.likelihood(h[None]).log_prob(states(4))
        torch.testing.assert_close(given_h, (-energies).log_softmax(dim=0)[:, j])


def gradient_law(boltzmann):
    """Contrastive divergence's gradient is ∇F at the data less ∇F at the ends of the chains."""
    model = machine(boltzmann)
    x = states(4)[5:]
    model.contrastive_divergence(x, num_steps=2, generator=torch.Generator().manual_seed(3)).sum().backward()
    dreams = model.gibbs(x, 2, generator=torch.Generator().manual_seed(3))
    p, q = ((model.hidden_bias + rows @ model.weight).sigmoid() for rows in (x, dreams))
    torch.testing.assert_close(model.weight.grad, dreams.T @ q - x.T @ p)


def chain_law(boltzmann):
    """A Gibbs step leaves p(x) unchanged, and moves."""
    model, n = machine(boltzmann, 3, 2), 20_000
    p = machine(boltzmann, 3, 2).log_prob(states(3)).exp().detach()
    g = torch.Generator().manual_seed(0)
    begin = states(3)[torch.multinomial(p, n, replacement=True, generator=g)]
    end = model.gibbs(begin, 3, generator=g)
    counts = (end @ torch.tensor([4.0, 2, 1], dtype=f64)).long().bincount(minlength=8)
    assert abs(float(((counts - n * p).square() / (n * p)).sum()) - 7) < 5 * 14**0.5
    assert bool((begin != end).any())


MUTANTS = [
    (sum_law, "restricted", "states @ own + functional", "functional"),
    (sum_law, "restricted", "softplus(other + states @ weight.T)", "softplus(states @ weight.T)"),
    (sum_law, "restricted", "torch.cat(parts).logsumexp(dim=0)", "torch.cat(parts).max()"),
    (sum_law, "restricted", "-self.free_energy(x) - self.log_partition()", "-self.free_energy(x)"),
    (
        sum_law,
        "restricted",
        "-self.free_energy(x) - self.log_partition()",
        "self.free_energy(x) - self.log_partition()",
    ),
    (sum_law, "restricted", "torch.arange(2 ** len(own), device", "torch.arange(1, 2 ** len(own), device"),
    (energy_law, "restricted", "return -x @ self.visible_bias - functional", "return -functional"),
    (
        energy_law,
        "restricted",
        "functional.softplus(self.hidden_bias + x @ self.weight).sum(dim=1)",
        "functional.softplus(self.hidden_bias + x @ self.weight).mean(dim=1)",
    ),
    (energy_law, "restricted", "functional.softplus(self.hidden_bias + x", "torch.relu(self.hidden_bias + x"),
    (energy_law, "restricted", "- h @ self.hidden_bias - ((x", "+ h @ self.hidden_bias - ((x"),
    (conditional_law, "restricted", "logits=self.hidden_bias + self._visible(x)", "logits=self._visible(x)"),
    (conditional_law, "restricted", "logits=self.visible_bias + h @", "logits=h @"),
    (
        gradient_law,
        "restricted",
        "self.free_energy(x) - self.free_energy(self.gibbs",
        "self.free_energy(x) + self.free_energy(self.gibbs",
    ),
    (
        gradient_law,
        "restricted",
        "self.free_energy(x) - self.free_energy(self.gibbs(x, num_steps, generator=generator))",
        "self.free_energy(x)",
    ),
    (
        gradient_law,
        "restricted",
        "self.gibbs(x, num_steps, generator=generator))",
        "self.gibbs(x, 1, generator=generator))",
    ),
    (
        chain_law,
        "restricted",
        "(self.visible_bias + h @ self.weight.T).sigmoid()",
        "(h @ self.weight.T).sigmoid()",
    ),
    (chain_law, "restricted", "x = sampling.bernoulli((self", "h = sampling.bernoulli((self"),
]

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("boltzmann", MUTANTS)

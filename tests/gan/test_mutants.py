"""The classic mistakes around adversarial nets, each made on purpose: every one must break a law."""

import math

import pytest
import torch
from support.mutation import law_tests
from torch import nn
from torch.nn.functional import softplus

from vaeedu.divergences import kl_categorical


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def close(a, b, within=1e-10):
    torch.testing.assert_close(a, b, rtol=0, atol=within, check_dtype=False)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


P = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
Q = torch.tensor([0.55, 0.25, 0.15, 0.05], dtype=torch.float64)


def optimum_law(gan):
    """On a finite set: the logit is that of p / (p + q), no critic does better, and the value is 2 JSD − log 4."""
    logit = gan.optimal_logit(P.log(), Q.log())
    close(logit.sigmoid(), P / (P + Q))
    # Each outcome as often as its probability says: the means are exact.
    on_data, on_samples = (logit.repeat_interleave((100 * w).round().long()) for w in (P, Q))
    middle = (P + Q) / 2
    jsd = (kl_categorical(P, middle) + kl_categorical(Q, middle)) / 2
    close(gan.value(on_data, on_samples), 2 * jsd - math.log(4))
    loss = gan.MINIMAX.critic_on_data(logit) @ P + gan.MINIMAX.critic_on_samples(logit) @ Q
    close(-loss, 2 * jsd - math.log(4))
    for step in drawn(5, 4, seed=1):
        other = logit + 0.1 * step
        assert (P @ gan.MINIMAX.critic_on_data(other) + Q @ gan.MINIMAX.critic_on_samples(other)) > loss


def saturation_law(gan):
    """Where the critic is sure, minimax gives D(G(z)) of a gradient, the other 1 − D(G(z)); both have the same sign."""
    for value in (-30.0, -1.0, 0.0, 3.0):
        logit = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        p = torch.sigmoid(logit.detach())
        for loss, expected in ((gan.MINIMAX, -p), (gan.NON_SATURATING, -(1 - p))):
            (slope,) = torch.autograd.grad(loss.generator(logit), logit)
            close(slope, expected)


def aims_law(gan):
    """Least squares is best at p / (p + q) for the critic, at 1 for the generator; Wasserstein is a mean."""
    best = P / (P + Q)
    squares = gan.LEAST_SQUARES

    def loss(d):
        return squares.critic_on_data(d) @ P + squares.critic_on_samples(d) @ Q

    assert all(loss(best + 0.1 * step) > loss(best) for step in drawn(5, 4, seed=2))
    close(loss(best), 0.5 * (P * Q / (P + Q)).sum())
    close(squares.generator(torch.tensor([1.0, 3.0]).double()), torch.tensor([0.0, 2.0]))
    a, b = drawn(7), drawn(7, seed=1)
    close(gan.WASSERSTEIN.critic(a, b).mean(), b.mean() - a.mean())
    close(gan.WASSERSTEIN.generator(b), -b)
    close(gan.NON_SATURATING.critic(a, b), softplus(-a) + softplus(b))
    assert [gan.LOSSES[name].name for name in gan.LOSSES] == list(gan.LOSSES)


def penalties_law(gan):
    """Of D(x) = ½ xᵀAx the slope is Ax: R1 at the data, the other between data and samples, one place a pair."""
    A = drawn(3, 3)
    A = A + A.T
    x, samples = drawn(5, 3, seed=1), drawn(5, 3, seed=2)

    def critic(v):
        return 0.5 * (v @ A * v).sum(dim=1)

    close(gan.r1_penalty(critic, x), 0.5 * (x @ A).square().sum(dim=1))
    u = torch.rand(5, 1, dtype=torch.float64, generator=seeded(3))
    between = u * x + (1 - u) * samples
    close(
        gan.gradient_penalty(critic, x, samples, generator=seeded(3)),
        ((between @ A).norm(dim=1) - 1).square(),
    )
    # One can differentiate through it: that is what a penalty is for.
    weight = torch.ones(3, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(gan.r1_penalty(lambda v: v @ weight, x).mean(), weight)
    close(slope, weight.detach())


def spectral_law(gan):
    network = gan.spectral_norm(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1)).double())
    x = drawn(50, 4)
    for _ in range(200):
        network(x)  # a step of power iteration each
    for layer in (network[0], network[2]):
        close(torch.linalg.matrix_norm(layer.weight, 2), torch.tensor(1.0), 1e-6)
    apart = (x[:-1] - x[1:]).norm(dim=1)
    assert bool(((network(x[:-1]) - network(x[1:])).abs()[:, 0] <= apart + 1e-6).all())


def model(gan, **options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return gan.mlp_gan(2, num_latents=3, num_hidden=(8,), **options).double()


def turns_law(gan):
    """The critic's loss moves the critic only, the generator's is −log D of samples; penalties have weights."""
    x = drawn(16, 2)
    plain = model(gan)
    plain.critic_loss(x, generator=seeded(5)).backward()
    assert all(p.grad is None for p in plain.generator.parameters())
    assert all(bool(p.grad.any()) for p in plain.critic.parameters())
    z = torch.randn(16, 3, dtype=torch.float64, generator=seeded(5))
    fake = plain.generator(z)
    a, b = plain.critic(x)[:, 0], plain.critic(fake)[:, 0]
    close(plain.critic_loss(x, generator=seeded(5)), (softplus(-a) + softplus(b)).mean())
    close(plain.generator_loss(x, generator=seeded(5)), softplus(-b).mean())
    loss = plain.generator_loss(x, generator=seeded(5))
    assert all(bool(g.any()) for g in torch.autograd.grad(loss, list(plain.generator.parameters())))
    base = plain.critic_loss(x, generator=seeded(5))
    close(
        model(gan, r1=0.3).critic_loss(x, generator=seeded(5)),
        base + 0.3 * gan.r1_penalty(plain.critic, x).mean(),
    )
    g = seeded(5)
    torch.randn(16, 3, dtype=torch.float64, generator=g)
    penalty = gan.gradient_penalty(plain.critic, x, fake.detach(), generator=g).mean()
    close(model(gan, gradient_penalty=10.0).critic_loss(x, generator=seeded(5)), base + 10 * penalty)


def average_law(gan):
    """The average is that of all weights so far, older ones less; samples are its own; without one, the generator's."""
    averaged, z = model(gan, average=0.75), torch.randn(4, 3, dtype=torch.float64, generator=seeded(1))
    first = averaged.generator[0].weight.detach().clone()
    averaged.advance()
    with torch.no_grad():
        averaged.generator[0].weight.add_(1.0)
    averaged.advance()
    close(averaged.average.module[0].weight, first + 0.25)
    with torch.no_grad():
        close(averaged.sample(4, generator=seeded(1)), averaged.average.module(z))
        close(averaged.sample(4, batch_size=3, generator=seeded(1)), averaged.average.module(z), 1e-12)
        plain = model(gan)
        close(plain.sample(4, generator=seeded(1)), plain.generator(z))
    images = gan.conv_gan((1, 8, 8), num_channels=2)
    running = images.generator[2].running_mean.clone()
    images.sample(5)
    assert images.generator.training
    assert torch.equal(images.generator[2].running_mean, running)


def noise_law(gan):
    """Data and samples are blurred alike; the noise fades; waves are sines and cosines of doubled frequencies."""
    noisy, plain, x = model(gan, noise=0.5, noise_decay=0.5), model(gan), drawn(16, 2)
    for power in (1.0, 0.5):
        g = seeded(5)
        z = torch.randn(16, 3, dtype=torch.float64, generator=g)
        real = x + 0.5 * power * torch.randn(16, 2, dtype=torch.float64, generator=g)
        fake = plain.generator(z) + 0.5 * power * torch.randn(16, 2, dtype=torch.float64, generator=g)
        expected = (softplus(-plain.critic(real)) + softplus(plain.critic(fake))).mean()
        close(noisy.critic_loss(x, generator=seeded(5)), expected)
        g = seeded(5)
        fake = plain.generator(torch.randn(16, 3, dtype=torch.float64, generator=g))
        fake = fake + 0.5 * power * torch.randn(16, 2, dtype=torch.float64, generator=g)
        close(noisy.generator_loss(x, generator=seeded(5)), softplus(-plain.critic(fake)).mean())
        noisy.advance()
    assert "noise" in noisy.state_dict()
    close(gan.Waves(2)(x), torch.cat([x, x.sin(), x.cos(), (2 * x).sin(), (2 * x).cos()], dim=1))
    for name, expected in (("num_waves", (3, 10)), ("num_code_waves", (15, 2))):
        wavy = gan.mlp_gan(2, num_latents=3, **{name: 2})
        sizes = tuple(next(part.parameters()).shape[1] for part in (wavy.generator, wavy.critic))
        assert sizes == expected


def autograd_field(theta, psi, penalty, weight):
    """The Dirac-GAN's field from its losses, by autograd; the noise by a fine sum."""
    t, s = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (theta, psi))
    e, share = torch.zeros(1).double(), torch.ones(1).double()
    if penalty == "noise":
        e = torch.linspace(-9, 9, 8001).double()
        share = torch.softmax(-0.5 * e.square(), dim=0)
        e = weight**0.5 * e
    critic = (share * (softplus(-s * e) + softplus(s * (t + e)))).sum()
    extra = {"r1": weight / 2 * s.square(), "gradient penalty": weight * (s.abs() - 1).square()}
    generator = -(share * softplus(s * (t + e))).sum()
    d_theta = -torch.autograd.grad(generator, t, retain_graph=True)[0]
    d_psi = -torch.autograd.grad(critic + extra.get(penalty, 0.0), s)[0]
    return d_theta, d_psi


def field_law(gan):
    for penalty in gan.PENALTIES:
        for theta, psi in ((0.4, -0.7), (-1.3, 0.6), (2.0, 1.5)):
            t, s = (torch.tensor(v, dtype=torch.float64) for v in (theta, psi))
            found = gan.dirac_field(t, s, penalty=penalty, weight=0.6)
            for a, b in zip(found, autograd_field(theta, psi, penalty, 0.6), strict=True):
                close(a, b, 1e-6)  # the quadrature's own error


def spiral_law(gan):
    """At once the radius grows by √(1 + h²/4) a step; in turn it stays; with R1 it shrinks; clipped ψ stays in."""
    h, n = 0.3, 200
    path = gan.dirac_path((1e-7, 0.0), n, step_size=h)
    assert path.shape == (n + 1, 2)
    radius = path.norm(dim=1)
    close(radius / radius[0], (1 + h**2 / 4) ** (torch.arange(n + 1).double() / 2), 1e-5)
    far = gan.dirac_path((1.5, 0.7), 9, step_size=h)
    grown = 1 + h**2 * torch.sigmoid(far[:-1].prod(dim=1)).square()
    close(far[1:].norm(dim=1).square() / far[:-1].norm(dim=1).square(), grown)
    turns = gan.dirac_path((1e-7, 0.0), n, step_size=h, alternating=True).norm(dim=1)
    assert 0.5 < float(turns.min() / turns[0]) <= float(turns.max() / turns[0]) < 1.5
    assert gan.dirac_path((1.0, 0.0), 800, step_size=h, penalty="r1", weight=0.5)[-1].norm() < 1e-6
    clipped = gan.dirac_path((1.0, 0.0), n, step_size=h, penalty="clipping", weight=0.2)
    assert float(clipped[:, 1].abs().max()) == pytest.approx(0.2)
    many = gan.dirac_path([(0.5, 0.2), (1.0, -1.0)], 9, step_size=h)
    close(many[:, 1], gan.dirac_path((1.0, -1.0), 9, step_size=h))
    two = gan.dirac_path((0.5, 0.2), 1, step_size=h, critic_steps=2, alternating=True)[1]
    t, s = torch.tensor([0.5, 0.2], dtype=torch.float64)
    for _ in range(2):
        s = s + h * gan.dirac_field(t, s)[1]
    close(two, torch.stack([t + h * gan.dirac_field(t, s)[0], s]))


MUTANTS = [
    (optimum_law, "losses", "logit = a - b", "logit = a.exp() - b.exp()"),
    (optimum_law, "losses", "logit = a - b", "logit = b - a"),
    (
        optimum_law,
        "losses",
        "logsigmoid(a).mean() + logsigmoid(-b).mean()",
        "logsigmoid(a).mean() + logsigmoid(b).mean()",
    ),
    (
        optimum_law,
        "losses",
        "logsigmoid(a).mean() + logsigmoid(-b).mean()",
        "logsigmoid(a).sum() + logsigmoid(-b).sum()",
    ),
    (optimum_law, "losses", "return softplus(-logit)  # −log D(x)", "return softplus(logit)"),
    (
        saturation_law,
        "losses",
        "lambda logit: -softplus(logit), True)",
        "lambda logit: softplus(logit), True)",
    ),
    (
        saturation_law,
        "losses",
        "lambda logit: softplus(-logit), True",
        "lambda logit: -softplus(logit), True",
    ),
    (
        aims_law,
        "losses",
        "lambda output: 0.5 * output.square(),",
        "lambda output: 0.5 * (output + 1).square(),",
    ),
    (
        aims_law,
        "losses",
        '"Wasserstein", lambda output: -output, lambda output: output, lambda output: -output',
        '"Wasserstein", lambda output: output, lambda output: -output, lambda output: -output',
    ),
    (
        aims_law,
        "losses",
        "self.critic_on_data(a) + self.critic_on_samples(b)",
        "self.critic_on_data(b) + self.critic_on_samples(a)",
    ),
    (penalties_law, "penalties", "norm(dim=1) - 1).square()", "norm(dim=1) - 1)"),
    (penalties_law, "penalties", "norm(dim=1) - 1).square()", "norm(dim=1)).square()"),
    (penalties_law, "penalties", "(u * x + (1 - u) * samples).detach()", "x.detach()"),
    (penalties_law, "penalties", "(len(x), *[1] * (x.ndim - 1))", "x.shape"),
    (penalties_law, "penalties", "return 0.5 * _slope", "return _slope"),
    (penalties_law, "penalties", ".square().sum(dim=1)", ".square().mean(dim=1)"),
    (penalties_law, "penalties", "create_graph=True", "create_graph=False", RuntimeError),
    (
        spectral_law,
        "penalties",
        "parametrizations.spectral_norm(layer)",
        "parametrizations.weight_norm(layer)",
    ),
    (
        turns_law,
        "model",
        "with torch.no_grad():  # the critic's step leaves the generator alone",
        "with torch.enable_grad():",
    ),
    (
        turns_law,
        "model",
        "self._blur(self.draw(len(x), generator=generator), generator)",
        "self._blur(self.draw(len(x), generator=generator).detach(), generator)",
        RuntimeError,
    ),
    (turns_law, "model", "loss + self.r1 * r1_penalty", "loss + r1_penalty"),
    (turns_law, "model", "loss + self.gradient_penalty * slope.mean()", "loss + slope.mean()"),
    (average_law, "model", "self.generator if self.average is None else self.average", "self.generator"),
    (average_law, "model", "network.train(was_training)", "pass"),
    (average_law, "model", "network.eval()", "pass"),
    (
        noise_law,
        "model",
        "x, samples = (self._blur(v, generator) for v in (x, samples))",
        "x = self._blur(x, generator)",
    ),
    (noise_law, "model", "self.noise.mul_(self.noise_decay)", "self.noise.div_(self.noise_decay)"),
    (noise_law, "builders", "[2**octave * x", "[(octave + 2) * x"),
    (noise_law, "builders", "_wavy_mlp(Waves(num_code_waves), [K", "_wavy_mlp(Waves(num_waves), [K"),
    (field_law, "dirac", "s * torch.sigmoid(s * t), -t", "s * torch.sigmoid(-s * t), -t"),
    (field_law, "dirac", "d_psi - gamma * s", "d_psi - 2 * gamma * s"),
    (field_law, "dirac", "(s.abs() - 1) * s.sign()", "(s.abs() - 1)"),
    (field_law, "dirac", "sigma = variance**0.5", "sigma = variance"),
    (field_law, "dirac", "return d_theta, on_data - on_samples", "return d_theta, -on_samples"),
    (spiral_law, "dirac", "seen = psi if alternating else before", "seen = psi"),
    (spiral_law, "dirac", "psi = psi.clamp(-weight, weight)", "pass"),
    (spiral_law, "dirac", "for _ in range(critic_steps):", "for _ in range(1):"),
]

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("gan", MUTANTS)

"""The classic mistakes around diffusion, each made on purpose: every one must break a law."""

import math

import torch
from support.mutation import law_tests
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from vaeedu import pca


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def close(a, b, within=1e-10):
    torch.testing.assert_close(a, b, rtol=0, atol=within, check_dtype=False)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def ppca(D=5, K=2):
    return pca.ProbabilisticPCA.from_parameters(drawn(K, D), drawn(D, seed=1), 0.3)


def schedules(diffusion):
    return (
        diffusion.Schedule.linear(40),
        diffusion.Schedule.cosine(40),
        diffusion.Schedule.log_linear(40),
        diffusion.Schedule(torch.tensor([6.0, 3.0, 2.5, -1.0, -4.0], dtype=torch.float64)),
    )


def schedule_law(diffusion):
    """β of DDPM, ᾱ of the cosine, ends of the third; signal and noise add up to one, and noise grows."""
    beta = torch.linspace(1e-4, 0.02, 40, dtype=torch.float64) * 25
    linear = diffusion.Schedule.linear(40)
    close(linear.signal_variance(torch.arange(41)), torch.cat([torch.ones(1), (1 - beta).cumprod(0)]), 1e-8)
    cosine = diffusion.Schedule.cosine(1000)
    t = torch.arange(990)
    f = (((t / 1000 + 0.008) / 1.008) * math.pi / 2).double().cos().square()
    close(cosine.signal_variance(t), f / f[0], 1e-6)
    assert float(cosine.signal_variance(1000) / cosine.signal_variance(999)) > 1e-3 * (1 - 1e-9)
    even = diffusion.Schedule.log_linear(8, first=7.0, last=-7.0).log_snr[1:]
    close(even, torch.linspace(7, -7, 8, dtype=torch.float64))
    for schedule in schedules(diffusion):
        steps = torch.arange(1, schedule.num_steps + 1)
        close(schedule.signal_variance(steps) + schedule.noise_variance(steps), torch.ones(len(steps)))
        close(schedule.snr(steps), schedule.signal_variance(steps) / schedule.noise_variance(steps), 1e-6)
        assert float(schedule.signal_variance(0)) == 1
        assert float(schedule.noise_variance(0)) == 0
        for S in (1, 3, schedule.num_steps):
            way = schedule.subsequence(S)
            assert (len(way), int(way[0]), int(way[-1])) == (S + 1, 0, schedule.num_steps)
            assert bool((way.diff() > 0).all())
            close(schedule.thin(S).log_snr[1:], schedule.log_snr[way[1:]])


def posterior_law(diffusion):
    """q(x_s | x_t, x_0) ∝ q(x_t | x_s) q(x_s | x_0): by Bayes' rule on numbers, steps of any size."""
    for schedule in schedules(diffusion):
        for t, s in ((2, 1), (5, 2), (schedule.num_steps, schedule.num_steps - 1)):
            a_t, a_s = schedule.signal_variance(t), schedule.signal_variance(s)
            prior = 1 / (1 - a_s)  # the precision of x_s given x_0 and, seen from x_t, its likelihood
            seen = (a_t / a_s) / (1 - a_t / a_s)
            variance = 1 / (prior + seen)
            expected = (variance * prior * a_s.sqrt(), variance * seen / (a_t / a_s).sqrt(), variance)
            for found, wanted in zip(schedule.posterior(t, s), expected, strict=True):
                close(found, wanted, 1e-9)
        for found, wanted in zip(schedule.posterior(3), schedule.posterior(3, 2), strict=True):
            close(found, wanted)
        last = schedule.posterior(1)
        close(torch.stack(last), torch.tensor([1.0, 0.0, 0.0]))


def noise_law(diffusion):
    """x_t = α x_0 + σ ε with deviations, not variances; a step for each example; step 0 changes nothing."""
    schedule = diffusion.Schedule.cosine(10)
    model = diffusion.Diffusion(lambda x, log_snr: x, schedule, event_shape=(3,))
    x, t = drawn(4, 3), torch.tensor([0, 1, 5, 10])
    eps = torch.randn(4, 3, generator=seeded(3), dtype=torch.float64)
    a = schedule.signal_variance(t)[:, None]
    close(model.noised(x, t, generator=seeded(3)), a.sqrt() * x + (1 - a).sqrt() * eps)
    close(model.noised(x, 0), x)


def conversions_law(diffusion):
    """x_0, ε and v say the same, and turn into each other."""
    log_snr = torch.tensor([-9.0, -1.0, 0.0, 4.0, 12.0], dtype=torch.float64)
    x, eps = drawn(5, 3), drawn(5, 3, seed=1)
    signal, noise = log_snr.sigmoid().sqrt()[:, None], torch.sigmoid(-log_snr).sqrt()[:, None]
    x_t = signal * x + noise * eps
    close(diffusion.noise_from_data(x, x_t, log_snr), eps, 1e-9)
    close(diffusion.data_from_noise(eps, x_t, log_snr), x, 1e-9)
    v = diffusion.velocity_from_data(x, x_t, log_snr)
    close(v, signal * eps - noise * x, 1e-9)
    close(diffusion.data_from_velocity(v, x_t, log_snr), x, 1e-9)
    close(diffusion.NoisePrediction(lambda y, level: eps)(x_t, log_snr), x, 1e-9)
    close(diffusion.VelocityPrediction(lambda y, level: v)(x_t, log_snr), x, 1e-9)


def exact(diffusion, schedule, *, with_prior=True):
    denoiser = diffusion.linear_gaussian_denoiser(ppca())
    prior = denoiser.marginal(schedule.log_snr[-1]) if with_prior else None
    return diffusion.Diffusion(denoiser, schedule, event_shape=(5,), prior=prior)


def tight_law(diffusion):
    """With the exact reverse process of PPCA's data every single path gives log p(x), in steps of any size."""
    x = ppca().sample(6, generator=seeded(2))
    for schedule in schedules(diffusion):
        for seed in (0, 1):
            path = exact(diffusion, schedule).path_elbo(x, generator=seeded(seed))
            close(path, ppca().log_prob(x))
    # With N(0, I) at the end, a path is off by what the end is.
    schedule = diffusion.Schedule.log_linear(4, first=5.0, last=0.0)
    path = exact(diffusion, schedule, with_prior=False).path_elbo(x, generator=seeded(0))
    assert float((path - ppca().log_prob(x)).abs().min()) > 1e-4


def conditional_law(diffusion):
    """The denoiser's mean and variances are those of Gaussian conditioning, written with full matrices."""
    model, log_snr, x_t = ppca(), torch.tensor([2.0, -1.0], dtype=torch.float64), drawn(2, 5, seed=4)
    denoiser, C = diffusion.linear_gaussian_denoiser(model), model.covariance()
    for i in range(2):
        a, n = log_snr[i].sigmoid(), torch.sigmoid(-log_snr[i])
        gain = a.sqrt() * C @ torch.linalg.inv(a * C + n * torch.eye(5).double())
        close(denoiser(x_t, log_snr)[i], model.mean_ + gain @ (x_t[i] - a.sqrt() * model.mean_))
        cov = C - gain @ (a.sqrt() * C)
        close((denoiser.axes * denoiser.spread(log_snr)[i]) @ denoiser.axes.T, cov)
        marginal = denoiser.marginal(log_snr[i])
        close(marginal.covariance_matrix, a * C + n * torch.eye(5).double())
        close(marginal.mean, a.sqrt() * model.mean_)


def terms_law(diffusion):
    """Each term of the bound is torch's own KL between the two sides, summed over the event, t = 2, …, T."""
    schedule = diffusion.Schedule.log_linear(3, first=3.0, last=-2.0)
    x, B = drawn(2, 4, seed=5), 2
    denoisers = {
        (4,): lambda y, log_snr: torch.tanh(y) * log_snr.sigmoid()[:, None],
        (5,): diffusion.linear_gaussian_denoiser(ppca()),
    }
    for shape, denoiser in denoisers.items():
        x = drawn(2, *shape, seed=5)
        model = diffusion.Diffusion(denoiser, schedule, event_shape=shape)
        terms = model.elbo_terms(x, generator=seeded(6))
        g = seeded(6)
        x_1 = model.noised(x, 1, generator=g)
        close(terms.reconstruction, -model.reverse(x_1, 1).log_prob(x))
        steps = torch.zeros(B).double()
        for t in (2, 3):
            x_t = model.noised(x, t, generator=g)
            c_0, c_t, v = schedule.posterior(t)
            q_mean = c_0 * x + c_t * x_t
            p = model.reverse(x_t, t)
            if isinstance(p, MultivariateNormal):
                q = MultivariateNormal(q_mean, v * torch.eye(5).double())
            else:
                q = Independent(Normal(q_mean, v.sqrt()), 1)
                close(p.mean, c_0 * denoiser(x_t, schedule.log_snr[t].expand(B)) + c_t * x_t)
            steps += kl_divergence(q, p)
        close(terms.steps, steps)
        signal, noise = schedule.signal_variance(3), schedule.noise_variance(3)
        zero = torch.zeros(shape).double()
        last = Independent(Normal(signal.sqrt() * x, noise.sqrt()), 1)
        close(terms.prior, kl_divergence(last, Independent(Normal(zero, zero + 1), 1)))
        close(model.elbo(x, generator=seeded(6)), -(terms.prior + terms.steps + terms.reconstruction))
    # The default decoder knows what x_1 says by itself.
    p = diffusion.Diffusion(denoisers[4,], schedule, event_shape=(4,)).reverse(drawn(2, 4), 1)
    close(p.base_dist.scale, (-schedule.log_snr[1] / 2).exp().expand(2, 4))


def estimates_law(diffusion):
    """Steps drawn at random, and single paths, estimate the same bound as the sum over all steps."""
    schedule = diffusion.Schedule.log_linear(5, first=4.0, last=-3.0)
    model = diffusion.Diffusion(lambda y, level: 0.5 * y, schedule, event_shape=(2,))
    x = torch.tensor([[0.5, -1.0]], dtype=torch.float64).expand(20_000, 2)
    whole = model.elbo(x, generator=seeded(0))
    for other in (
        model.elbo(x, num_times=1, generator=seeded(1)),
        model.elbo(x, num_times=3, generator=seeded(2)),
        model.path_elbo(x, generator=seeded(3)),
    ):
        error = ((whole.var() + other.var()) / len(x)) ** 0.5
        assert abs(float(whole.mean() - other.mean())) < 5 * float(error)
    # A batch looks at each step as often as at any other, up to one.
    seen = []
    diffusion.Diffusion(lambda y, level: seen.append(level) or y, schedule, event_shape=(2,)).elbo_terms(
        x[:80], num_times=1, generator=seeded(4)
    )
    counts = torch.unique(seen[-1], return_counts=True)
    close(counts[0], schedule.log_snr[2:].flip(0))
    assert counts[1].tolist() == [20, 20, 20, 20]
    diffusion.Diffusion(lambda y, level: seen.append(level) or y, schedule, event_shape=(2,)).noise_loss(
        x[:80], generator=seeded(4)
    )
    assert torch.unique(seen[-1], return_counts=True)[1].tolist() == [16] * 5


def simple_loss_law(diffusion):
    """The noise's squared error, summed: for a denoiser that says 0 it is the size of x_t / σ − ε, or e^λ x²."""
    schedule = diffusion.Schedule(torch.tensor([0.7], dtype=torch.float64))
    model = diffusion.Diffusion(lambda y, level: 0 * y, schedule, event_shape=(3,))
    x = drawn(7, 3)
    close(model.noise_loss(x, generator=seeded(1)), math.exp(0.7) * x.square().sum(dim=1))


def bayes_law(diffusion):
    """Independent pixels: an untrained Bayes denoiser is exact, and its bound tends to their entropy from below."""
    L, N = 3, 4000
    levels = torch.tensor([[0, 0], [0, 2], [1, 2], [0, 2], [2, 2], [0, 1], [0, 2], [1, 0]])
    values = diffusion.levels_to_values(levels, L).double()
    network = diffusion.FromMarginals(diffusion.ResidualMLP((2,), L, num_hidden=4), levels, L).double()
    # The marginals give every level a share; the truth here is exactly what the network says.
    share = network.log_share.double().exp()
    truth = -sum(share[d, levels[:, d]].log() for d in range(2))
    log_snr = torch.tensor([1.0], dtype=torch.float64)
    x_t = drawn(1, 2, seed=3)
    denoiser = diffusion.BayesDenoiser(network, L)
    a, n = log_snr.sigmoid().sqrt(), torch.sigmoid(-log_snr)
    v = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)
    weight = share * torch.exp(-(x_t[0, :, None] - a * v).square() / (2 * n))
    weight = weight / weight.sum(dim=1, keepdim=True)
    belief = denoiser.belief(x_t, log_snr)
    close(belief.log_probs[0].exp(), weight, 1e-9)
    close(denoiser(x_t, log_snr)[0], weight @ v, 1e-9)
    close(
        belief.log_prob(torch.tensor([[-1.0, 1.0]], dtype=torch.float64))[0],
        (weight[0, 0] * weight[1, 2]).log(),
        1e-9,
    )
    assert belief.mode[0].tolist() == v[weight.argmax(dim=1)].tolist()
    many = values.repeat(N // len(levels), 1)
    gaps, errors = [], []
    with torch.no_grad():
        for T in (8, 32, 128):
            schedule = diffusion.Schedule.log_linear(T, first=6.0, last=-6.0)
            model = diffusion.Diffusion(denoiser, schedule, event_shape=(2,), decoder=denoiser.belief)
            gap = -model.elbo(many, generator=seeded(T)) - truth.repeat(N // len(levels))
            gaps.append(float(gap.mean()))
            errors.append(float(gap.std() / N**0.5))
    assert all(gap > -5 * error for gap, error in zip(gaps, errors, strict=True))
    assert gaps[0] > 2 * gaps[1] > 0
    # The bound loses about 1/T: what is left of the first gap at 128 steps is small.
    assert abs(gaps[2]) < gaps[0] / 8 + 5 * errors[2]


def rounding_law(diffusion):
    """Levels become values from −1 to 1 and come back; the decoder without a network goes by the noise alone."""
    for L in (2, 17, 256):
        levels = torch.arange(L)
        values = diffusion.levels_to_values(levels, L)
        close(values, torch.linspace(-1, 1, L), 1e-6)
        for off in (-0.4 / L, 0.4 / L):
            assert torch.equal(diffusion.values_to_levels(values + off, L), levels)
    belief = diffusion.nearest_level(5)(
        torch.tensor([[0.1]], dtype=torch.float64), torch.tensor([1.0], dtype=torch.float64)
    )
    a, n = torch.sigmoid(torch.tensor(1.0)).sqrt(), torch.sigmoid(torch.tensor(-1.0))
    log_q = Normal(a * torch.linspace(-1, 1, 5), n.sqrt()).log_prob(torch.tensor(0.1))
    close(belief.log_probs[0, 0], log_q.log_softmax(0), 1e-6)


def steps_law(diffusion):
    """η = 1 draws from q(x_s | x_t, x̂_0); every η has its mean's spread; at s = 0 there is no noise."""
    schedule = diffusion.Schedule.linear(40)
    model = diffusion.Diffusion(lambda y, level: torch.tanh(y), schedule, event_shape=(3,))
    x = drawn(4, 3)
    for t, s in ((3, 2), (40, 11)):
        xi = torch.randn(4, 3, generator=seeded(7), dtype=torch.float64)
        c_0, c_t, v = schedule.posterior(t, s)
        ancestral = c_0 * torch.tanh(x) + c_t * x + v.sqrt() * xi
        close(model.step(x, t, s, generator=seeded(7)), ancestral, 1e-9)
        # At x_t = α x_0 + σ ε with the right x_0, any η leaves the marginal q(x_s | x_0) as it is.
        n = schedule.noise_variance(t)
        for eta in (0.0, 0.4, 1.0):
            still = diffusion.Diffusion(lambda y, level: 0 * y, schedule, event_shape=(3,))
            kept = still.step(n.sqrt() * torch.ones(1, 3).double(), t, s, eta=eta, generator=seeded(7))
            xi = torch.randn(1, 3, generator=seeded(7), dtype=torch.float64)
            noise = eta * v.sqrt()
            along = (schedule.noise_variance(s) - noise.square()).sqrt()
            close(kept, along + noise * xi, 1e-9)
        close(model.step(x, t, 0, eta=1.0), torch.tanh(x))


def ddim_law(diffusion):
    """On standard normal data DDIM multiplies by cosines of the steps' angles, whatever steps are taken."""
    for schedule in schedules(diffusion):
        asked = []

        def denoiser(y, level, asked=asked):
            asked.append(float(level[0]))
            return level.sigmoid().sqrt()[:, None] * y  # E[x_0 | x_t] of N(0, I)

        model = diffusion.Diffusion(denoiser, schedule, event_shape=(2,))
        for S in (1, 3, 5):
            asked.clear()
            found = model.sample(4, num_steps=S, eta=0.0, generator=seeded(1))
            x_T = torch.randn(4, 2, generator=seeded(1))
            way = schedule.subsequence(S)
            angle = schedule.signal_variance(way).sqrt().acos()
            close(found, x_T * angle.diff().cos().prod(), 1e-5)
            close(torch.tensor(asked, dtype=torch.float64), schedule.log_snr[way[1:]].flip(0), 1e-5)


def ancestral_law(diffusion):
    """All steps of the exact process, with its spread left out, draw PPCA's data, up to what few steps lose."""
    covariance = ppca().covariance()
    errors = {}
    for T in (10, 120):
        model = exact(diffusion, diffusion.Schedule.log_linear(T, first=7.0, last=-7.0))
        x = model.sample(8000, generator=seeded(0), batch_size=8000)
        errors[T] = float((torch.cov(x.T) - covariance).abs().max() / covariance.diagonal().max())
    assert errors[120] < min(0.12, errors[10] / 3)
    assert (
        float((x.mean(dim=0) - ppca().mean_).abs().max())
        < 5 * float(covariance.diagonal().max() / 8000) ** 0.5
    )


def matching_law(diffusion):
    """The path is straight, its velocity constant; the regression's minimum is the mean of x − z."""
    z, x, t = drawn(4, 3), drawn(4, 3, seed=1), torch.tensor([0.0, 0.3, 0.5, 1.0], dtype=torch.float64)
    x_t, v = diffusion.straight_path(z, x, t)
    close(x_t[[0, 3]], torch.stack([z[0], x[3]]))
    close(x_t + (1 - t)[:, None] * v, x)
    model = diffusion.FlowMatching(lambda y, time: 0 * y, event_shape=(3,))
    g = seeded(3)
    z = torch.randn(4, 3, generator=g, dtype=torch.float64)
    close(model.loss(x, generator=seeded(3)), (x - z).square().sum(dim=1))
    # On Gaussians the exact field is E[x − z | x_t], by the normal equations.
    mean, C = (
        torch.tensor([1.0, -2.0], dtype=torch.float64),
        torch.tensor([[2.0, 0.6], [0.6, 0.5]], dtype=torch.float64),
    )
    field = diffusion.GaussianVelocity(mean, C)
    time, point = torch.tensor([0.0, 0.35, 1.0], dtype=torch.float64), drawn(3, 2, seed=5)
    eye = torch.eye(2).double()
    for i, s in enumerate(time):
        cross = s * C - (1 - s) * eye
        along = cross @ torch.linalg.inv(s**2 * C + (1 - s) ** 2 * eye) @ (point[i] - s * mean)
        close(field(point, time)[i], mean + along)


def transport_law(diffusion):
    """The exact field carries z to μ + C^½ z: Heun's error falls as h², Euler's as h; so a Gaussian onto a Gaussian."""
    mean, C = (
        torch.tensor([1.0, -2.0], dtype=torch.float64),
        torch.tensor([[2.0, 0.6], [0.6, 0.5]], dtype=torch.float64),
    )
    field, z = diffusion.GaussianVelocity(mean, C), drawn(50, 2)
    w, U = torch.linalg.eigh(C)
    there = mean + z @ (U * w.sqrt()) @ U.T
    errors = {
        (method, n): float((diffusion.integrate(field, z, num_steps=n, method=method) - there).abs().max())
        for method in ("euler", "heun")
        for n in (100, 200)
    }
    assert errors["heun", 200] < 5e-5
    assert 3.5 < errors["heun", 100] / errors["heun", 200] < 4.5
    assert 1.8 < errors["euler", 100] / errors["euler", 200] < 2.2
    model = diffusion.FlowMatching(field, event_shape=(2,))
    drawn_there = model.sample(3, num_steps=100, generator=seeded(1))
    start = torch.randn(3, 2, generator=seeded(1))
    close(drawn_there, diffusion.integrate(field, start, num_steps=100), 1e-6)


def networks_law(diffusion):
    """Untrained networks say zero, then depend on all pixels and on the level; samples come in evaluation mode."""
    for make, shape in ((diffusion.ResidualMLP, (1, 4, 4)), (diffusion.UNet, (1, 8, 8))):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            size = {"num_channels": 4} if make is diffusion.UNet else {"num_hidden": 8}
            network = make(shape, 3, dropout=0.5, **size).double()
        x, level = drawn(2, *shape), torch.tensor([1.0, -2.0], dtype=torch.float64)
        assert tuple(network(x, level).shape) == (2, *shape, 3)
        assert not bool(network(x, level).any())
        with torch.no_grad():
            network.last.weight.normal_(generator=seeded(1))
        assert not torch.equal(network(x, level), network(x, level))  # dropout
        network.eval()
        x.requires_grad_()
        (slope,) = torch.autograd.grad(network(x, level)[0, 0, 0, 0, 0], x)
        assert int((slope[0] != 0).sum()) == slope[0].numel()
        assert not bool(slope[1].any())  # examples do not see each other
        assert bool((network(x, level + 1) != network(x, level)).all())
        network.train()
        denoiser = diffusion.BayesDenoiser(network, 3)
        model = diffusion.Diffusion(
            denoiser, diffusion.Schedule.log_linear(4), event_shape=shape, decoder=denoiser.belief
        )
        first = model.sample(3, generator=seeded(2))
        close(model.sample(3, generator=seeded(2)), first)
        assert model.training
        assert network.training
        assert float(first.abs().max()) <= 1


MUTANTS = [
    (
        schedule_law,
        "schedule",
        "log_signal = torch.log1p(-beta).cumsum(0)",
        "log_signal = torch.log1p(-beta)",
    ),
    (schedule_law, "schedule", "T, dtype=torch.float64) * (1000 / T)", "T, dtype=torch.float64)"),
    (schedule_law, "schedule", "log_f = 2 * angle", "log_f = angle"),
    (schedule_law, "schedule", ".clamp(min=math.log(0.001))", ""),
    (
        schedule_law,
        "schedule",
        "(torch.arange(S + 1) * self.num_steps) // S",
        "torch.arange(S + 1) * (self.num_steps // S)",
    ),
    (
        schedule_law,
        "schedule",
        "return torch.sigmoid(self.log_snr[t])",
        "return torch.sigmoid(self.log_snr[t]).sqrt()",
    ),
    (posterior_law, "schedule", "kept * beta", "beta"),
    (posterior_law, "schedule", "(log_ratio / 2).exp() * kept", "log_ratio.exp() * kept"),
    (
        posterior_law,
        "schedule",
        "self.signal_variance(s).sqrt() * beta",
        "self.signal_variance(t).sqrt() * beta",
    ),
    (posterior_law, "schedule", "s = t - 1 if s is None else s", "s = t - 1"),
    (noise_law, "model", "_each(signal.sqrt(), x) * x", "_each(signal, x) * x"),
    (noise_law, "model", "_each(noise.sqrt(), x), generator", "_each(noise, x), generator"),
    (conversions_law, "denoisers", "return (x_t - noise * eps) / signal", "return (x_t - noise * eps)"),
    (conversions_law, "denoisers", "return signal * x_t - noise * v", "return signal * x_t + noise * v"),
    (conversions_law, "denoisers", "log_snr) - noise * x_0", "log_snr) + noise * x_0"),
    (tight_law, "model", "(variance + c_0**2 * spread[0])", "(variance + c_0 * spread[0])"),
    (tight_law, "model", "- q.log_prob(later)", "- q.log_prob(later) * 0"),
    (tight_law, "model", "return total + self._prior(x).log_prob(now)", "return total"),
    (
        tight_law,
        "model",
        "self.schedule.signal_variance(t) / self.schedule.signal_variance(t - 1)",
        "self.schedule.signal_variance(t)",
    ),
    (
        conditional_law,
        "denoisers",
        "(signal.square() * self.variances + noise.square())",
        "(signal * self.variances + noise)",
    ),
    (
        conditional_law,
        "denoisers",
        "return self.mean + ((x_t - signal * self.mean)",
        "return self.mean + ((x_t - self.mean)",
    ),
    (conditional_law, "denoisers", "return noise * self.variances /", "return self.variances /"),
    (conditional_law, "denoisers", "log_snr.sigmoid() * self.variances + torch", "self.variances + torch"),
    (terms_law, "model", "return 0.5 * weight * error", "return weight * error"),
    (
        terms_law,
        "model",
        "weight * error.square().flatten(1).sum(dim=1)",
        "weight * error.square().flatten(1).mean(dim=1)",
    ),
    (terms_law, "model", "self.schedule.snr(t - 1) - self.schedule.snr(t)", "self.schedule.snr(t)"),
    (terms_law, "model", "for t in range(2, T + 1):", "for t in range(2, T):"),
    (terms_law, "model", "signal * x.square() + noise - 1 - torch.log(x.new_tensor(noise))", "0 * x"),
    (terms_law, "model", "ratio - 1 - ratio.log()", "0 * ratio"),
    (terms_law, "model", "c_0.square() * spread  #", "spread  #"),
    (
        terms_law,
        "model",
        "-(terms.prior + terms.steps + terms.reconstruction)",
        "-(terms.steps + terms.reconstruction)",
    ),
    (terms_law, "model", "variance = float((-self.schedule.log_snr[1]).exp())", "variance = 1.0"),
    (estimates_law, "model", "* ((T - 1) / num_times)", "/ num_times"),
    (
        estimates_law,
        "model",
        "chosen = 2 + _evenly(B, T - 1, x, generator)",
        "chosen = 1 + _evenly(B, T, x, generator)",
    ),
    (estimates_law, "model", "(u + torch.arange(B) / B) % 1", "u.expand(B)"),
    (
        simple_loss_law,
        "model",
        "error.square().flatten(1).sum(dim=1)\n\n    def step",
        "error.square().flatten(1).mean(dim=1)\n\n    def step",
    ),
    (bayes_law, "denoisers", "logits + level_log_likelihood(x_t, log_snr, self.num_levels)", "logits"),
    (bayes_law, "levels", "(2 * noise.reshape(shape))", "noise.reshape(shape)"),
    (bayes_law, "levels", ".flatten(1).sum(dim=1)", ".flatten(1).mean(dim=1)"),
    (bayes_law, "networks", "+ self.log_share.to(x)", ""),
    (
        rounding_law,
        "levels",
        "return 2.0 * levels / (_more_than_one(num_levels) - 1) - 1.0",
        "return levels / (_more_than_one(num_levels) - 1)",
    ),
    (rounding_law, "levels", ".round()", ".floor()"),
    (steps_law, "model", "fresh = eta**2 * float", "fresh = eta * float"),
    (
        steps_law,
        "model",
        "kept = max(0.0, float(self.schedule.noise_variance(s)) - fresh)",
        "kept = float(self.schedule.noise_variance(s))",
    ),
    (
        steps_law,
        "model",
        "self.schedule.signal_variance(s).sqrt()) * expected",
        "self.schedule.signal_variance(t).sqrt()) * expected",
    ),
    (steps_law, "model", "self.schedule.posterior(t, s)[2]", "self.schedule.posterior(t)[2]"),
    (ddim_law, "model", "way[i], way[i - 1], eta=eta", "way[i], max(0, way[i] - 1), eta=eta"),
    (ddim_law, "model", "range(len(way) - 1, 0, -1)", "range(len(way) - 2, 0, -1)"),
    (ancestral_law, "model", "mean.new_tensor(fresh).sqrt()", "mean.new_tensor(fresh)"),
    (matching_law, "matching", "return (1 - t) * z + t * x, x - z", "return (1 - t) * z + t * x, z - x"),
    (matching_law, "matching", "return (1 - t) * z + t * x, x - z", "return t * z + (1 - t) * x, x - z"),
    (matching_law, "matching", "(t * self.variances - (1 - t)) /", "(t * self.variances + (1 - t)) /"),
    (
        matching_law,
        "matching",
        "error.square().flatten(1).sum(dim=1)",
        "error.square().flatten(1).mean(dim=1)",
    ),
    (transport_law, "matching", "x + h / 2 * (before + after)", "x + h * after"),
    (transport_law, "matching", "(i + 1) * h))", "i * h))"),
    (
        networks_law,
        "networks",
        "h = block(h, embedded)\n        output",
        "h = block(h, 0 * embedded)\n        output",
    ),
    (networks_law, "model", "self.eval()\n", "pass\n"),
    (networks_law, "model", "self.train(was_training)", "pass"),
]

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("diffusion", MUTANTS)

"""The importance weighted bound: its laws, its gradient, and that chunks change nothing but memory."""

import itertools
import math
import re
from pathlib import Path

import pytest
import torch
from support.linear_gaussian import D, K, LinearGaussian, assert_unbiased, drawn, many
from torch.distributions import Bernoulli, Independent, Normal

from vaeedu import networks
from vaeedu.bounds import elbo, importance, iwae_bound, log_weights

MODEL = LinearGaussian()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_weights_are_unbiased_for_p_and_their_logarithms_for_the_elbo():
    for x in MODEL.data().split(1):
        log_w = log_weights(many(x, 10_000), *MODEL.parts, num_samples=2, generator=seeded())
        assert_unbiased((log_w - MODEL.log_prob(x)).exp().flatten(), 1.0)
        assert_unbiased(log_w.flatten(), MODEL.log_prob(x) - MODEL.kl_to_posterior(x))


@pytest.mark.parametrize("num_samples", [1, 4])
def test_the_mean_weight_is_unbiased_for_p_whatever_the_number_of_samples(num_samples):
    x = MODEL.data()
    bound = iwae_bound(many(x), *MODEL.parts, num_samples=num_samples, generator=seeded())
    assert_unbiased((bound - MODEL.log_prob(x[:1])).exp(), 1.0)


def test_more_samples_never_hurt_on_average(monkeypatch):
    """Over all subsets of one set of samples the law holds exactly, without a standard error."""
    S, x = 6, MODEL.data(3)
    q = MODEL.encoder(x)
    z = q.mean + q.stddev * drawn(S, 3, K)

    def bound_of(subset):
        monkeypatch.setattr(importance.sampling, "draw", lambda q, shape, generator: z[list(subset)])
        return iwae_bound(x, *MODEL.parts, num_samples=len(subset))

    average = torch.stack(
        [
            torch.stack([bound_of(subset) for subset in itertools.combinations(range(S), s)]).mean(dim=0)
            for s in range(1, S + 1)
        ]
    )
    assert bool((average.diff(dim=0) > 0).all())


def test_it_climbs_to_log_p_from_below():
    x = MODEL.data(200)
    bounds = [iwae_bound(x, *MODEL.parts, num_samples=S, generator=seeded()) for S in (1, 10, 100, 5000)]
    gaps = torch.stack([MODEL.log_prob(x) - bound for bound in bounds])
    means = gaps.mean(dim=1).tolist()
    assert means == sorted(means, reverse=True)
    errors = gaps.std(dim=1) / len(x) ** 0.5
    assert bool((gaps.mean(dim=1) >= -5 * errors).all())
    assert means[0] > 0.05
    assert abs(means[-1]) < 0.005


def test_the_exact_posterior_is_tight_with_any_number_of_samples():
    x = MODEL.data(50)
    for S in (1, 7):
        bound = iwae_bound(x, *MODEL.exact_parts, num_samples=S, generator=seeded())
        torch.testing.assert_close(bound, MODEL.log_prob(x), atol=1e-10, rtol=0)


def test_one_sample_is_the_elbo_and_more_are_the_weights_mean():
    x = MODEL.data(7)
    one = iwae_bound(x, *MODEL.parts, num_samples=1, generator=seeded())
    torch.testing.assert_close(one, elbo(x, *MODEL.parts, kl="monte_carlo", generator=seeded()))
    nine = iwae_bound(x, *MODEL.parts, num_samples=9, generator=seeded())
    log_w = log_weights(x, *MODEL.parts, num_samples=9, generator=seeded())
    torch.testing.assert_close(nine, log_w.exp().mean(dim=0).log())
    averaged = elbo(x, *MODEL.parts, num_samples=9, kl="monte_carlo", generator=seeded())
    torch.testing.assert_close(averaged, log_w.mean(dim=0))


@pytest.fixture
def small_groups(monkeypatch):
    """Many groups of noise and several of examples, where there would be one of each."""
    monkeypatch.setattr(importance, "_DRAWN_AT_ONCE", 20)
    monkeypatch.setattr(importance, "_ENCODED_AT_ONCE", 5)


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("chunk_size", [1, 2, 3, 4, 5, 9, 10, 11, 1000])
@pytest.mark.parametrize("S", [1, 3, 13])
def test_the_chunk_size_changes_nothing_and_is_kept(chunk_size, S):
    x, sizes = MODEL.data(12), []

    def decoder(z):
        sizes.append(z.shape[:-1].numel())
        return MODEL.decoder(z)

    prior = MODEL.prior()
    whole = iwae_bound(x, *MODEL.parts, num_samples=S, generator=seeded())
    chunked = iwae_bound(
        x, MODEL.encoder, decoder, prior, num_samples=S, chunk_size=chunk_size, generator=seeded()
    )
    torch.testing.assert_close(chunked, whole, atol=1e-12, rtol=1e-12)
    assert max(sizes) <= chunk_size
    assert sum(sizes) == 12 * S


@pytest.mark.usefixtures("small_groups")
def test_parts_are_put_together_as_one_sum_over_all_samples():
    """The running logarithm of sums is the logarithm of the sum: here from the noise, group by group."""
    x, S = MODEL.data(12), 13
    bound = iwae_bound(x, *MODEL.parts, num_samples=S, generator=(g := seeded()))
    g, expected = seeded(), []
    for part in x.split(5):
        groups = [20 // len(part)] * (S // (20 // len(part)))
        groups += [S - sum(groups)] if sum(groups) < S else []
        log_w = torch.cat([log_weights(part, *MODEL.parts, num_samples=s, generator=g) for s in groups])
        expected.append(log_w.exp().mean(dim=0).log())
    torch.testing.assert_close(bound, torch.cat(expected))


def test_weights_beyond_the_range_of_floats_do_no_harm():
    """log w ≈ −10⁵: exp would be 0."""
    x = MODEL.data(3)
    far = LinearGaussian()
    far.sigma = 1e-2
    bound = iwae_bound(x, *far.parts, num_samples=10, generator=seeded())
    log_w = log_weights(x, *far.parts, num_samples=10, generator=seeded())
    assert bool((log_w.max(dim=0).values < -2000).any())
    assert bool((bound <= log_w.max(dim=0).values).all())
    assert bool((bound >= log_w.max(dim=0).values - math.log(10)).all())


def test_the_gradient_is_the_weights_own_mean_of_gradients_chunked_or_not():
    """∇ log mean w = Σ w̃ ∇ log w, with w̃ the normalised weights (Burda et al. 2016, eq. 12)."""
    x = MODEL.data(6)
    m, W = MODEL.encoder(x).mean.clone().requires_grad_(), MODEL.W.clone().requires_grad_()
    prior = MODEL.prior()

    def encoder(x):
        return Independent(Normal(m, MODEL.s), 1)

    def decoder(z):
        return Independent(Normal(z @ W.T + MODEL.b, MODEL.sigma), 1)

    log_w = log_weights(x, encoder, decoder, prior, num_samples=5, generator=seeded())
    share = log_w.detach().softmax(dim=0)
    expected = torch.autograd.grad((share * log_w).sum(), (m, W))
    for chunk_size in (None, 2, 7):
        bound = iwae_bound(
            x, encoder, decoder, prior, num_samples=5, chunk_size=chunk_size, generator=seeded()
        )
        torch.testing.assert_close(torch.autograd.grad(bound.sum(), (m, W)), expected)


def test_images_of_any_shape_and_binary_pixels():
    x = drawn(3, 1, 4, 4).sign().clamp(min=0)
    prior = Independent(Normal(torch.zeros(2, dtype=torch.float64), 1.0), 1)

    def decoder(z):
        return Independent(
            Bernoulli(logits=z.sum(-1)[..., None, None, None].expand(*z.shape[:-1], 1, 4, 4)), 3
        )

    def encoder(x):
        return Independent(Normal(0.3 * x[:, 0, 0, :2], 1.0), 1)

    bound = iwae_bound(x, encoder, decoder, prior, num_samples=20_000, generator=seeded())
    # z₁ + z₂ ~ N(0, 2) is all that counts: the integral over it, by a fine sum.
    a = torch.linspace(-15, 15, 6001, dtype=torch.float64)
    n = x.flatten(1).sum(dim=1)[:, None]
    log_p = n * torch.nn.functional.logsigmoid(a) + (16 - n) * torch.nn.functional.logsigmoid(-a)
    density = Normal(0.0, 2.0**0.5).log_prob(a)
    exact = (log_p + density).logsumexp(dim=1) + math.log(30 / 6000)
    log_w = log_weights(x, encoder, decoder, prior, num_samples=20_000, generator=seeded())
    assert_unbiased((log_w - exact).exp(), 1.0)
    relative_error = (log_w - log_w.max(dim=0).values).exp()
    relative_error = relative_error.std(dim=0) / relative_error.mean(dim=0) / len(log_w) ** 0.5
    assert bool(((bound - exact).abs() <= 6 * relative_error).all())
    assert float(relative_error.max()) < 0.05


def test_the_default_chunk_shrinks_with_the_image():
    def size(*shape, dtype=torch.float32):
        return importance._default_chunk_size(torch.zeros((), dtype=dtype).expand(2, *shape))

    assert size(1, 28, 28) == 2**28 // (64 * 784 * 4)
    assert size(3, 64, 64) < size(1, 28, 28) < size(1, 8, 8) == 2**14
    assert size(1, 28, 28, dtype=torch.float64) == size(1, 28, 28) // 2
    assert size(3, 10_000, 10_000) == 1


def high_water_mark():
    """The process's largest resident memory since `clear_refs`, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


@pytest.mark.slow
def test_5000_samples_of_200_images_take_less_than_a_gibibyte():
    """Kept whole, the logits alone would take 3.1 GB, and the latent vectors with what they are drawn from 1.2."""
    x = torch.rand(200, 1, 28, 28, generator=seeded()).round()
    encoder = torch.nn.Sequential(networks.Flatten((1, 28, 28)), networks.NormalHead(784, (100,)))
    decoder = networks.BernoulliHead(100, (1, 28, 28))
    prior = Independent(Normal(torch.zeros(100), 1.0), 1)
    try:
        Path("/proc/self/clear_refs").write_text("5")  # sets the mark to the present size
    except OSError:
        pytest.skip("no /proc/self/clear_refs: not Linux")
    before = high_water_mark()
    with torch.no_grad():
        bound = iwae_bound(x, encoder, decoder, prior, num_samples=5000, generator=seeded())
    assert bool(bound.isfinite().all())
    assert high_water_mark() - before < 2**30


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_samples": 0}, "num_samples must be a whole number of at least 1, but is 0"),
        ({"chunk_size": 0}, "chunk_size must be a whole number of at least 1, but is 0"),
        ({"x": torch.zeros(D)}, "x must be a batch of examples"),
    ],
)
def test_bad_input_is_refused(change, message):
    sound = {"x": MODEL.data(), "num_samples": 3, "chunk_size": 5}
    settings = sound | change
    with pytest.raises(ValueError, match=re.escape(message)):
        iwae_bound(settings.pop("x"), *MODEL.parts, **settings)
    if "chunk_size" not in change:
        settings = sound | change
        with pytest.raises(ValueError, match=re.escape(message)):
            log_weights(settings["x"], *MODEL.parts, num_samples=settings["num_samples"])

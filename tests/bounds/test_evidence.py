"""The evidence lower bound against closed forms of a linear Gaussian model."""

import re

import pytest
import torch
from support.linear_gaussian import D, K, LinearGaussian, assert_unbiased, drawn, many
from torch.distributions import (
    Bernoulli,
    Independent,
    MultivariateNormal,
    Normal,
    OneHotCategorical,
    kl_divergence,
)

from vaeedu import bounds, data, divergences, networks, pca
from vaeedu.bounds import elbo, elbo_terms, kl_per_dimension
from vaeedu.vae import mlp_vae

MODEL = LinearGaussian()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("num_samples", [1, 3])
@pytest.mark.parametrize("num_components", [1, 10, 40])
def test_one_sample_of_ppcas_exact_posterior_gives_log_p(num_components, num_samples):
    x = data.digits("all")[0].flatten(1).double()
    model = pca.ProbabilisticPCA(num_components).fit(x)
    parts = model.posterior, model.likelihood, model.prior()
    bound = elbo(x, *parts, num_samples=num_samples, kl="monte_carlo", generator=seeded())
    torch.testing.assert_close(bound, model.log_prob(x), atol=1e-10, rtol=0)


def test_the_exact_posterior_is_tight_on_average_with_the_closed_form():
    x = MODEL.data()
    bound = elbo(many(x), *MODEL.exact_parts, generator=seeded())
    assert float(bound.std()) > 0.1  # with kl="monte_carlo" it would be 0
    assert_unbiased(bound, MODEL.log_prob(x[:1]))


@pytest.mark.parametrize("kl", ["analytic", "monte_carlo"])
def test_log_p_is_the_bound_plus_the_divergence_from_the_posterior(kl):
    for x in MODEL.data().split(1):
        bound = elbo(many(x), *MODEL.parts, kl=kl, generator=seeded())
        assert_unbiased(bound, MODEL.log_prob(x) - MODEL.kl_to_posterior(x))
        assert bool(MODEL.kl_to_posterior(x) > 0.01)


def test_both_terms_are_unbiased():
    x = MODEL.data()
    for kl in ("analytic", "monte_carlo"):
        terms = elbo_terms(many(x), *MODEL.parts, kl=kl, generator=seeded())
        assert_unbiased(terms.reconstruction, MODEL.expected_reconstruction(x[:1]))
        assert_unbiased(terms.kl, MODEL.kl_to_prior(x[:1]))


def test_more_samples_are_averaged():
    x = many(MODEL.data())
    one, nine = (elbo(x, *MODEL.parts, num_samples=S, kl="monte_carlo", generator=seeded()) for S in (1, 9))
    assert_unbiased(nine, MODEL.log_prob(x[:1]) - MODEL.kl_to_posterior(x[:1]))
    assert float(one.std() / nine.std()) == pytest.approx(3.0, rel=0.05)


@pytest.mark.parametrize("beta", [0.0, 0.5, 4.0])
def test_beta_weighs_the_kl_term_alone(beta):
    x = MODEL.data()
    terms = elbo_terms(x, *MODEL.parts, generator=seeded())
    bound = elbo(x, *MODEL.parts, beta=beta, generator=seeded())
    torch.testing.assert_close(bound, terms.reconstruction - beta * terms.kl)


def test_the_analytic_kl_is_that_of_the_divergences():
    x, prior = MODEL.data(50), Independent(Normal(drawn(K), drawn(K, seed=1).exp()), 1)
    q = MODEL.encoder(x)
    expected = divergences.kl_diagonal_normal(q.mean, q.stddev, prior.mean, prior.stddev)
    terms = elbo_terms(x, MODEL.encoder, MODEL.decoder, prior, generator=seeded())
    torch.testing.assert_close(terms.kl, expected, atol=1e-12, rtol=1e-12)


def test_the_analytic_kl_knows_full_covariances_on_either_side():
    x = MODEL.data(50)
    full = MultivariateNormal(drawn(K), torch.tensor([[1.0, 0.6], [0.6, 2.0]], dtype=torch.float64))
    for encoder, prior in (
        (MODEL.exact_posterior, MODEL.prior()),
        (MODEL.encoder, full),
        (MODEL.exact_posterior, full),
    ):
        q = encoder(x)
        as_full = (
            MultivariateNormal(q.mean, torch.diag_embed(q.variance)) if isinstance(q, Independent) else q
        )
        p = (
            MultivariateNormal(prior.mean, torch.diag(prior.variance))
            if isinstance(prior, Independent)
            else prior
        )
        kl = elbo_terms(x, encoder, MODEL.decoder, prior, generator=seeded()).kl
        torch.testing.assert_close(kl, kl_divergence(as_full, p), atol=1e-10, rtol=1e-10)


def test_gradients_agree_with_closed_forms():
    """Each copy of the example has parameters of its own, whose gradients are then independent estimates."""
    x, N = many(MODEL.data()), 20_000
    m = MODEL.encoder(x).mean.clone().requires_grad_()
    s = MODEL.s.repeat(N, 1).requires_grad_()
    W = MODEL.W.repeat(N, 1, 1).requires_grad_()

    def decoder(z):
        return Independent(Normal((W @ z[..., None])[..., 0] + MODEL.b, MODEL.sigma), 1)

    def encoder(x):
        return Independent(Normal(m, s), 1)

    elbo(x, encoder, decoder, MODEL.prior(), generator=seeded()).sum().backward()
    precision = 1 / MODEL.sigma**2
    residual = (x - MODEL.b - m @ MODEL.W.T)[0].detach()
    m0, s0 = m[0].detach(), MODEL.s
    assert_unbiased(m.grad, precision * MODEL.W.T @ residual - m0)
    assert_unbiased(s.grad, 1 / s0 - s0 * (1 + precision * MODEL.W.square().sum(dim=0)))
    assert_unbiased(W.grad, precision * (torch.outer(residual, m0) - MODEL.W * s0.square()))


def test_pixels_are_summed_whatever_the_images_shape():
    x = drawn(3, 2, 2, 3).bernoulli(0.5, generator=seeded())
    logits = drawn(12)

    def decoder(shape):
        def p(z):
            a = z.sum(-1)[..., None] + logits
            return Independent(Bernoulli(logits=a.reshape(*z.shape[:-1], *shape)), len(shape))

        return p

    def encoder(x):
        return Independent(Normal(x.flatten(1)[:, :K], 0.5), 1)

    images = elbo(x, encoder, decoder((2, 2, 3)), MODEL.prior(), generator=seeded())
    rows = elbo(x.flatten(1), encoder, decoder((12,)), MODEL.prior(), generator=seeded())
    twice = elbo(
        torch.cat([x, x], dim=1).flatten(1),
        encoder,
        lambda z: Independent(Bernoulli(logits=(z.sum(-1)[..., None] + logits).repeat(1, 1, 2)), 1),
        MODEL.prior(),
        beta=2.0,
        generator=seeded(),
    )
    torch.testing.assert_close(images, rows)
    torch.testing.assert_close(twice, 2 * rows)


def test_one_examples_bound_depends_on_no_other_example():
    x = MODEL.data().requires_grad_()
    bound = elbo(x, *MODEL.parts, num_samples=3, generator=seeded())
    for b in range(len(x)):
        (grad,) = torch.autograd.grad(bound[b], x, retain_graph=True)
        assert bool((grad[b] != 0).all())
        assert bool((grad[torch.arange(len(x)) != b] == 0).all())


def test_the_prior_may_be_what_returns_it():
    x = MODEL.data()
    one = elbo(x, *MODEL.parts, generator=seeded())
    other = elbo(x, MODEL.encoder, MODEL.decoder, MODEL.prior, generator=seeded())
    torch.testing.assert_close(one, other, atol=0, rtol=0)


def test_dtype_follows_the_input_and_noise_the_generator():
    prior = Independent(Normal(torch.zeros(K), 1.0), 1)
    parts = networks.NormalHead(D, (K,)), networks.NormalHead(K, (D,)), prior
    x = MODEL.data().float()
    one, same, other = (elbo(x, *parts, generator=seeded(seed)) for seed in (0, 0, 1))
    assert one.dtype == torch.float32
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_model_that_diverged_gives_nan_not_an_error():
    """So that `fit`, which knows the step, can say which."""

    def encoder(x):
        return Independent(Normal(x[:, :K] * torch.nan, 1.0, validate_args=False), 1)

    def decoder(z):
        return Independent(Normal(z @ MODEL.W.T, 1.0, validate_args=False), 1)

    for kl in ("analytic", "monte_carlo"):
        assert bool(elbo(MODEL.data(), encoder, decoder, MODEL.prior(), kl=kl).isnan().all())
    assert bool(bounds.iwae_bound(MODEL.data(), encoder, decoder, MODEL.prior(), num_samples=3).isnan().all())


def test_each_latents_kl_adds_up_and_a_collapsed_one_costs_nothing():
    x = MODEL.data(50)

    def encoder(x):
        q = MODEL.encoder(x)
        used = torch.tensor([1.0, 0.0], dtype=torch.float64)
        return Independent(Normal(q.mean * used, q.stddev * used + (1 - used)), 1)

    each = kl_per_dimension(x, encoder, MODEL.prior())
    assert each.shape == (50, K)
    assert bool((each[:, 0] > 0).all())
    assert bool((each[:, 1] == 0).all())
    torch.testing.assert_close(each.sum(dim=1), elbo_terms(x, encoder, MODEL.decoder, MODEL.prior()).kl)
    torch.testing.assert_close(each, kl_divergence(encoder(x).base_dist, MODEL.prior().base_dist))


def normal(loc, events=1):
    return Independent(Normal(loc, 1.0), events)


X = torch.zeros(4, D, dtype=torch.float64)
Z = torch.zeros(4, K, dtype=torch.float64)
BROKEN = {
    "x's type": (
        {"x": [1.0]},
        "x must be a floating-point tensor, but is list: use torch.as_tensor(x).float()",
    ),
    "x's dtype": ({"x": torch.zeros(4, D).long()}, "x must be a floating-point tensor, but is torch.int64"),
    "x's rank": ({"x": torch.zeros(D)}, "has shape (5,): use x[None] for one example"),
    "no x": ({"x": torch.zeros(0, D)}, "x must be a batch of examples"),
    "x's entries": (
        {"x": X / 0},
        "x must hold finite numbers, but has NaN or infinite entries: drop or fill them",
    ),
    "prior's type": (
        {"prior": lambda: 3.0},
        "prior must be a distribution over vectors, event shape (K,), but has float",
    ),
    "prior's event": (
        {"prior": Normal(Z[0], 1.0)},
        "but has event shape (): use Independent(Normal(torch.zeros(K), torch.ones(K)), 1)",
    ),
    "encoder's type": (
        {"encoder": lambda x: x},
        "encoder must return a torch.distributions.Distribution, but returned Tensor: end it with "
        "vaeedu.networks.NormalHead",
    ),
    "encoder's event": (
        {"encoder": lambda x: Normal(Z, 1.0)},
        "its batch shape is (4, 2) and its event shape (): wrap it in Independent(..., 1)",
    ),
    "encoder's batch": (
        {"encoder": lambda x: normal(Z[:1])},
        "over 2 latents for each of 4 examples, but its batch shape is (1,)",
    ),
    "encoder's latents": (
        {"encoder": lambda x: normal(X)},
        "give encoder and prior the same number of latents",
    ),
    "decoder's type": (
        {"decoder": lambda z: z},
        "decoder must return a torch.distributions.Distribution, but returned Tensor: end it with "
        "vaeedu.networks.BernoulliHead or NormalHead",
    ),
    "decoder's event": (
        {"decoder": lambda z: Normal(torch.zeros(1, 4, D), 1.0)},
        "batch shape (1, 4, 5) and event shape (): wrap it in Independent(..., 1), so that pixels are summed over",
    ),
    "decoder's batch": (
        {"decoder": lambda z: normal(X)},
        "decoder must return distributions of batch shape (1, 4)",
    ),
    "num_samples": ({"num_samples": 0}, "num_samples must be a whole number of at least 1, but is 0"),
    "beta": ({"beta": -1.0}, "beta must be a finite number of at least 0, but is -1.0"),
    "kl": ({"kl": "exact"}, "kl must be one of 'analytic', 'monte_carlo', but is 'exact'"),
    "no closed form": (
        {"encoder": lambda x: OneHotCategorical(logits=Z)},
        "they are OneHotCategorical and Independent of Normal: pass kl='monte_carlo'",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_input_is_refused(case):
    change, message = BROKEN[case]
    sound = {"x": X, "encoder": MODEL.encoder, "decoder": MODEL.decoder, "prior": MODEL.prior()}
    with pytest.raises(ValueError, match=re.escape(message)):
        elbo(**(sound | change))


def test_grey_pixels_are_refused_by_a_bernoulli_likelihood():
    x, prior = data.digits("test")[0], normal(torch.zeros(2))
    encoder = torch.nn.Sequential(networks.Flatten((1, 8, 8)), networks.NormalHead(64, (2,)))
    decoder = networks.BernoulliHead(2, (1, 8, 8))
    message = (
        "x must hold zeros and ones where the likelihood is Bernoulli, but x[0, 0, 0, 2] is 0.75: "
        "use vaeedu.data.binarize(x, 'dynamic'), or a normal likelihood for grey values"
    )
    for bound in (elbo, lambda *parts: bounds.iwae_bound(*parts, num_samples=2), bounds.wake_sleep):
        with pytest.raises(ValueError, match=re.escape(message)):
            bound(x, encoder, decoder, prior)
        bound(data.binarize(x, "threshold"), encoder, decoder, prior)


def test_kl_per_dimension_asks_for_independent_normal_latents():
    message = (
        "encoder and prior must be normal with independent entries, but are MultivariateNormal and "
        "Independent of Normal"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        kl_per_dimension(X, MODEL.exact_posterior, MODEL.prior())


# ---- what people hand over ----


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x.numpy().astype("float64"), r"x must be a floating-point tensor, .*: use torch.as_tensor"),
        (lambda x: x.double(), r"the dtype of the encoder's weights, torch.float32, but has torch.float64: use"),
        (lambda x: x[0], r"x must hold examples, one per row, .* shape \(1, 8, 8\) .*: pass x\[None\]"),
    ],
)  # fmt: skip
def test_images_of_another_dtype_or_without_their_batch_axis(change, words):
    images = torch.zeros(3, 1, 8, 8)
    for bound in ("elbo", "iwae_bound"):
        model = mlp_vae((1, 8, 8), num_latents=2, num_hidden=(4,))
        arguments = {"num_samples": 2} if bound == "iwae_bound" else {}
        with pytest.raises(ValueError, match=words):
            getattr(model, bound)(change(images), **arguments)

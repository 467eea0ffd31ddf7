"""The classic mistakes in variational bounds, each made on purpose: every one must break a law."""

import math

import pytest
import torch
from support.linear_gaussian import K, LinearGaussian, assert_unbiased, drawn, many
from support.mutation import law_tests
from torch.distributions import Bernoulli, Independent, MultivariateNormal, Normal, kl_divergence

MODEL = LinearGaussian()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def tightness_law(bounds):
    """A single sample of the exact posterior gives log p(x), in every bound."""
    x = MODEL.data(20)
    exact = MODEL.log_prob(x)
    for S in (1, 3):
        bound = bounds.elbo(x, *MODEL.exact_parts, num_samples=S, kl="monte_carlo", generator=seeded())
        torch.testing.assert_close(bound, exact, atol=1e-10, rtol=0)
        bound = bounds.iwae_bound(x, *MODEL.exact_parts, num_samples=S, generator=seeded())
        torch.testing.assert_close(bound, exact, atol=1e-10, rtol=0)
        log_w = bounds.log_weights(x, *MODEL.exact_parts, num_samples=S, generator=seeded())
        torch.testing.assert_close(log_w, exact.expand(S, -1), atol=1e-10, rtol=0)


def gap_law(bounds):
    """log p(x) = ELBO + KL(q ‖ posterior), and both terms are what they are called."""
    x = MODEL.data()
    for kl in ("analytic", "monte_carlo"):
        for S in (1, 3):
            terms = bounds.elbo_terms(many(x), *MODEL.parts, num_samples=S, kl=kl, generator=seeded())
            assert terms.reconstruction.shape == terms.kl.shape == (20_000,)
            assert_unbiased(terms.reconstruction, MODEL.expected_reconstruction(x[:1]))
            assert_unbiased(terms.kl, MODEL.kl_to_prior(x[:1]))
        bound = bounds.elbo(many(x), *MODEL.parts, kl=kl, generator=seeded())
        assert_unbiased(bound, MODEL.log_prob(x[:1]) - MODEL.kl_to_posterior(x[:1]))
    plain = bounds.elbo(x, *MODEL.parts, generator=seeded())
    weighted = bounds.elbo(x, *MODEL.parts, beta=3.0, generator=seeded())
    torch.testing.assert_close(plain - weighted, 2 * MODEL.kl_to_prior(x))


def kl_law(bounds):
    """The closed forms are torch's, for any pair of Gaussians."""
    x = MODEL.data(20)
    scale = drawn(K, seed=1).exp()
    for encoder in (MODEL.encoder, MODEL.exact_posterior):
        prior = Independent(Normal(drawn(K), scale), 1)
        p = MultivariateNormal(drawn(K), torch.diag(scale.square()))
        q = encoder(x)
        q = (
            q
            if encoder == MODEL.exact_posterior
            else MultivariateNormal(q.mean, torch.diag_embed(q.variance))
        )
        kl = bounds.elbo_terms(x, encoder, MODEL.decoder, prior, generator=seeded()).kl
        torch.testing.assert_close(kl, kl_divergence(q, p))
    prior = Independent(Normal(drawn(K), scale), 1)
    each = bounds.kl_per_dimension(x, MODEL.encoder, prior)
    torch.testing.assert_close(each, kl_divergence(MODEL.encoder(x).base_dist, prior.base_dist))


def gradient_law(bounds):
    """The samples carry the gradient to the encoder."""
    m, x = MODEL.encoder(MODEL.data()).mean[:1].repeat(20_000, 1).requires_grad_(), many(MODEL.data())
    for kl in ("analytic", "monte_carlo"):
        bound = bounds.elbo(
            x, lambda x: Independent(Normal(m, MODEL.s), 1), MODEL.decoder, MODEL.prior(), kl=kl, generator=seeded()
        )  # fmt: skip
        (grad,) = torch.autograd.grad(bound.sum(), m)
        residual = (x - MODEL.b - m @ MODEL.W.T)[0].detach()
        assert_unbiased(grad, MODEL.W.T @ residual / MODEL.sigma**2 - m[0].detach())


def importance_law(bounds):
    """The mean weight is unbiased for p(x), in whatever chunks it is summed."""
    x = many(MODEL.data())
    for S in (1, 5):
        for settings in ({}, {"chunk_size": 6000}):
            bound = bounds.iwae_bound(x, *MODEL.parts, num_samples=S, generator=seeded(), **settings)
            assert_unbiased((bound - MODEL.log_prob(x[:1])).exp(), 1.0)
    x = MODEL.data(300)
    for settings in ({}, {"chunk_size": 70}, {"chunk_size": 700}):
        bound = bounds.iwae_bound(x, *MODEL.parts, num_samples=60, generator=seeded(), **settings)
        g = seeded()
        group = 2**14 // 300
        parts = [
            bounds.log_weights(x, *MODEL.parts, num_samples=min(group, 60 - s), generator=g)
            for s in range(0, 60, group)
        ]
        log_w = torch.cat(parts)
        torch.testing.assert_close(bound, log_w.logsumexp(dim=0) - math.log(60))


def wake_sleep_law(bounds):
    """Awake, the loss is the energy; asleep, the exact posterior's is its entropy; each reaches its own network."""
    x = many(MODEL.data())
    entropy = (0.5 * math.log(2 * math.pi * math.e) + MODEL.s.log()).sum()
    exact = MODEL.kl_to_posterior(x[:1]) - MODEL.log_prob(x[:1]) + entropy
    assert_unbiased(bounds.wake_sleep(x, *MODEL.parts, num_samples=2, generator=seeded()).wake, exact)
    entropy = 0.5 * torch.logdet(2 * math.pi * math.e * MODEL.posterior_covariance)
    assert_unbiased(bounds.wake_sleep(x, *MODEL.exact_parts, generator=seeded()).sleep, entropy)
    W, c = MODEL.W.clone().requires_grad_(), MODEL.c.clone().requires_grad_()

    def encoder(x):
        return Independent(Normal(x @ MODEL.A.T + c, MODEL.s), 1)

    def decoder(z):
        return Independent(Normal(z @ W.T + MODEL.b, MODEL.sigma), 1)

    wake, sleep = bounds.wake_sleep(MODEL.data(), encoder, decoder, MODEL.prior(), generator=seeded())
    for loss, own, other in ((wake, W, c), (sleep, c, W)):
        grads = torch.autograd.grad(loss.sum(), (own, other), allow_unused=True, retain_graph=True)
        assert grads[0] is not None
        assert grads[1] is None


def unchecked_law(bounds):
    """Without its checks a distribution is the same one."""
    z = drawn(3, 4, K)
    for p in (Independent(Normal(z, 2.0), 1), Independent(Bernoulli(logits=z), 1)):
        x = p.mean.round()
        torch.testing.assert_close(bounds.inputs.unchecked(p).log_prob(x), p.log_prob(x))


def refusal_law(bounds):
    """Each check is there: a wrong shape or a grey pixel is no number, also where shapes would broadcast."""
    x = MODEL.data(5)
    matrices = Independent(Normal(torch.zeros(2, K), 1.0), 2)
    broken = [
        ("decoder", MODEL.encoder, lambda z: MODEL.decoder(z).base_dist, MODEL.prior()),
        ("encoder", lambda x: MODEL.encoder(x).base_dist, MODEL.decoder, MODEL.prior()),
        ("encoder", lambda x: MODEL.encoder(x[:1]), MODEL.decoder, MODEL.prior()),
        ("prior", MODEL.encoder, MODEL.decoder, matrices),
        ("prior", MODEL.encoder, MODEL.decoder, MODEL.prior().base_dist),
        ("x", MODEL.encoder, lambda z: Independent(Bernoulli(logits=z @ MODEL.W.T), 1), MODEL.prior()),
    ]
    for culprit, *parts in broken:
        for bound in (bounds.elbo, bounds.wake_sleep, lambda *p: bounds.iwae_bound(*p, num_samples=2)):
            with pytest.raises(ValueError, match=f"^{culprit} must "):
                bound(x, *parts)


MUTANTS = [
    (gap_law, "evidence", "terms.reconstruction - require", "terms.reconstruction + require"),
    (gap_law, "evidence", 'require.non_negative_float("beta", beta) * terms.kl', "terms.kl"),
    (gap_law, "evidence", "inputs.log_likelihood(decoder, z, x).mean(dim=0)",
     "inputs.log_likelihood(decoder, z, x).sum(dim=0)"),
    (gap_law, "evidence", "inputs.log_likelihood(decoder, z, x).mean(dim=0)",
     "inputs.log_likelihood(decoder, z, x).logsumexp(dim=0)"),
    (gap_law, "evidence", "ElboTerms(reconstruction, log_ratio.mean(dim=0))",
     "ElboTerms(reconstruction, log_ratio.sum(dim=0))"),
    (tightness_law, "evidence", "inputs.unchecked(q).log_prob(z) - inputs.unchecked(p_z).log_prob(z)",
     "inputs.unchecked(p_z).log_prob(z) - inputs.unchecked(q).log_prob(z)"),
    (tightness_law, "evidence", "inputs.unchecked(q).log_prob(z) - inputs.unchecked(p_z).log_prob(z)",
     "inputs.unchecked(q).log_prob(z)"),
    (kl_law, "evidence", "p.stddev).sum(dim=-1)", "p.stddev).mean(dim=-1)"),
    (kl_law, "evidence", "return normal_terms(q.mean, q.stddev,", "return normal_terms(q.mean, q.variance,"),
    (kl_law, "evidence", "return normal_terms(q.mean, q.stddev, p.mean, p.stddev)",
     "return normal_terms(p.mean, p.stddev, q.mean, q.stddev)"),
    (kl_law, "evidence", "kl_multivariate_normal(q.mean, covariance_q, p.mean, covariance_p)",
     "kl_multivariate_normal(p.mean, covariance_p, q.mean, covariance_q)"),
    (kl_law, "evidence", "divergences.kl_normal(q.mean, q.stddev,", "divergences.kl_normal(q.mean, q.variance,"),
    (kl_law, "inputs", "torch.diag_embed(p.variance)", "torch.diag_embed(p.stddev)"),
    (gradient_law, "evidence", "z = sampling.draw(q, (S,), generator=generator)",
     "z = sampling.draw(q, (S,), generator=generator).detach()"),
    (gradient_law, "inputs", "bare = Normal(base.loc, base.scale", "bare = Normal(base.loc.detach(), base.scale"),
    (unchecked_law, "inputs", "p.reinterpreted_batch_ndims, validate_args=False)", "0, validate_args=False)"),
    (importance_law, "importance", "total - math.log(S)", "total"),
    (importance_law, "importance", "total - math.log(S)", "total - math.log(group)"),
    (importance_law, "importance", "torch.logaddexp(total, log_w.logsumexp(dim=0))",
     "torch.maximum(total, log_w.logsumexp(dim=0))"),
    (importance_law, "importance", "torch.logaddexp(total, log_w.logsumexp(dim=0))", "log_w.logsumexp(dim=0)"),
    (importance_law, "importance", "log_w.logsumexp(dim=0))", "log_w.mean(dim=0) + math.log(len(z)))"),
    (importance_law, "importance", "log_w = inputs.unchecked(p_z).log_prob(z) - inputs.unchecked(q).log_prob(z)\n",
     "log_w = inputs.unchecked(p_z).log_prob(z)\n"),
    (tightness_law, "importance", "log_w = inputs.unchecked(p_z).log_prob(z) - inputs.unchecked(q).log_prob(z)\n",
     "log_w = inputs.unchecked(q).log_prob(z) - inputs.unchecked(p_z).log_prob(z)\n"),
    (tightness_law, "importance", "log_ratio = inputs.unchecked(p_z).log_prob(z) - inputs.unchecked(q).log_prob(z)",
     "log_ratio = inputs.unchecked(p_z).log_prob(z)"),
    (importance_law, "importance", "z[s, b], x[b]", "z[s, b], x[: len(x[b])]"),
    (importance_law, "importance", "(min(group, S - start),)", "(group,)"),
    (wake_sleep_law, "helmholtz", "-log_joint.mean(dim=0)", "-log_joint.sum(dim=0)"),
    (wake_sleep_law, "helmholtz", "inputs.log_likelihood(decoder, z, x) + inputs.unchecked(p_z).log_prob(z)",
     "inputs.log_likelihood(decoder, z, x)"),
    (wake_sleep_law, "helmholtz", "return -log_joint", "return log_joint"),
    (wake_sleep_law, "helmholtz", "inputs.posterior(encoder, dreams, p_z)", "inputs.posterior(encoder, x, p_z)"),
    (wake_sleep_law, "helmholtz", "with torch.no_grad():\n        z = sampling.draw(inputs.posterior",
     "with torch.enable_grad():\n        z = sampling.draw(inputs.posterior"),
    (wake_sleep_law, "helmholtz", "with torch.no_grad():\n        z = sampling.draw(p_z",
     "with torch.enable_grad():\n        z = sampling.draw(p_z"),
    (refusal_law, "inputs", "p.batch_shape != z.shape[:-1] or p.event_shape != x.shape[1:]", "False"),
    (refusal_law, "inputs", "q.batch_shape != x.shape[:1] or q.event_shape != prior.event_shape", "False"),
    (refusal_law, "inputs", "or len(p.event_shape) != 1", ""),
    (refusal_law, "inputs", "if not is_checked and", "if False and"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("bounds", MUTANTS)

"""Wake–sleep: which loss reaches whom, and what each is in closed form."""

import math
import re

import pytest
import torch
from support.linear_gaussian import K, LinearGaussian, assert_unbiased, drawn, many
from torch.distributions import Bernoulli, Independent, Normal, OneHotCategorical

from vaeedu.bounds import elbo_terms, wake_sleep

MODEL = LinearGaussian()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Trainable:
    """The linear Gaussian model with parameters that take gradients, shared or one set an example."""

    def __init__(self, num_copies=()):
        self.W, self.A, self.c, self.log_s = (
            t.expand(*num_copies, *t.shape).clone().requires_grad_()
            for t in (MODEL.W, MODEL.A, MODEL.c, MODEL.s.log())
        )

    def encoder(self, x):
        loc = (self.A @ x[..., None])[..., 0] + self.c
        return Independent(Normal(loc, self.log_s.exp().expand_as(loc)), 1)

    def decoder(self, z):
        return Independent(Normal((self.W @ z[..., None])[..., 0] + MODEL.b, MODEL.sigma), 1)

    def losses(self, x, **settings):
        return wake_sleep(x, self.encoder, self.decoder, MODEL.prior(), generator=seeded(), **settings)


def test_each_loss_reaches_its_own_network_only():
    model = Trainable()
    wake, sleep = model.losses(MODEL.data())
    recognition, generation = (model.A, model.c, model.log_s), (model.W,)
    for loss, own, other in ((wake, generation, recognition), (sleep, recognition, generation)):
        grads = torch.autograd.grad(loss.sum(), (*own, *other), allow_unused=True, retain_graph=True)
        assert all(bool((g != 0).any()) for g in grads[: len(own)])
        assert all(g is None for g in grads[len(own) :])


@pytest.mark.parametrize("num_samples", [1, 3])
def test_awake_the_decoders_gradient_is_that_of_the_elbo(num_samples):
    model, x = Trainable(), MODEL.data()
    wake = model.losses(x, num_samples=num_samples).wake
    parts = model.encoder, model.decoder, MODEL.prior()
    terms = elbo_terms(x, *parts, num_samples=num_samples, generator=seeded())
    torch.testing.assert_close(
        torch.autograd.grad(wake.sum(), model.W), torch.autograd.grad(-terms.reconstruction.sum(), model.W)
    )


def test_awake_the_loss_is_the_energy():
    """−E_q[log p(x, z)] = −ELBO + H[q], so that ELBO = −wake + H[q]."""
    x = MODEL.data()
    entropy = (0.5 * math.log(2 * math.pi * math.e) + MODEL.s.log()).sum()
    exact = -(MODEL.log_prob(x[:1]) - MODEL.kl_to_posterior(x[:1])) + entropy
    for num_samples in (1, 4):
        wake = wake_sleep(many(x), *MODEL.parts, num_samples=num_samples, generator=seeded()).wake
        assert_unbiased(wake, exact)


def test_asleep_the_exact_posterior_reaches_the_least_loss_its_entropy():
    entropy = 0.5 * torch.logdet(2 * math.pi * math.e * MODEL.posterior_covariance)
    x = many(MODEL.data())
    assert_unbiased(wake_sleep(x, *MODEL.exact_parts, generator=seeded()).sleep, entropy)
    wrong = wake_sleep(x, *MODEL.parts, generator=seeded()).sleep
    assert float(wrong.mean()) > float(entropy) + 0.05


def test_asleep_the_exact_posteriors_mean_is_a_stationary_point():
    """Each dream has parameters of its own; at the posterior's regression their gradients vanish on average."""
    x = many(MODEL.data())
    model = Trainable((len(x),))
    gain = MODEL.posterior_covariance @ MODEL.W.T / MODEL.sigma**2
    with torch.no_grad():
        model.A.copy_(gain.expand_as(model.A))
        model.c.copy_((-gain @ MODEL.b).expand_as(model.c))
    model.losses(x).sleep.sum().backward()
    assert_unbiased(model.A.grad, 0.0)
    assert_unbiased(model.c.grad, 0.0)
    # The least sleep loss of independent entries has the posterior's marginal variances, not its conditional ones.
    variance = MODEL.posterior_covariance.diagonal()
    assert_unbiased(model.log_s.grad, 1 - variance / MODEL.s.square())


def test_codes_need_no_reparameterisation_and_pixels_may_be_binary():
    x = drawn(6, 1, 2, 2).sign().clamp(min=0)
    weight = drawn(3, 4).requires_grad_()
    logits = drawn(3).requires_grad_()
    prior = OneHotCategorical(logits=torch.zeros(3, dtype=torch.float64))

    def encoder(x):
        return OneHotCategorical(logits=x.flatten(1) @ torch.ones(4, 3, dtype=torch.float64) * logits)

    def decoder(z):
        a = z.to(weight) @ weight
        return Independent(Bernoulli(logits=a.reshape(*z.shape[:-1], 1, 2, 2)), 3)

    seen = []

    def watched(x):
        seen.append(x)
        return encoder(x)

    wake, sleep = wake_sleep(x, watched, decoder, prior, generator=seeded())
    assert wake.shape == sleep.shape == (6,)
    data, dreams = seen
    assert data is x
    assert bool(((dreams == 0) | (dreams == 1)).all())
    assert not torch.equal(dreams, x)
    (wake + sleep).mean().backward()
    assert bool((weight.grad != 0).any())
    assert bool((logits.grad != 0).any())


def test_the_generator_decides():
    x = MODEL.data()
    one, same = (wake_sleep(x, *MODEL.parts, generator=seeded()) for _ in range(2))
    torch.testing.assert_close(tuple(one), tuple(same), atol=0, rtol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_samples": 0}, "num_samples must be a whole number of at least 1, but is 0"),
        ({"x": torch.zeros(K)}, "x must be a batch of examples"),
        (
            {"encoder": lambda x: MODEL.encoder(x[:1])},
            "encoder must return one distribution over 2 latents for each of 4 examples",
        ),
        (
            {"decoder": lambda z: MODEL.decoder(z).base_dist},
            "wrap it in Independent(..., 1), so that pixels are summed over",
        ),
    ],
)
def test_bad_input_is_refused(change, message):
    sound = {"x": MODEL.data(), "encoder": MODEL.encoder, "decoder": MODEL.decoder, "prior": MODEL.prior()}
    with pytest.raises(ValueError, match=re.escape(message)):
        wake_sleep(**(sound | change))

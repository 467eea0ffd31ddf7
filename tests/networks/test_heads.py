"""Heads: from features to a distribution whose log-probabilities are scipy's."""

import re

import numpy as np
import pytest
import scipy.stats
import torch
from torch.distributions import Independent

from vaeedu.networks import BernoulliHead, NormalHead, conv_decoder


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("event", [(3,), (2, 3, 4)])
def test_a_predicted_scale_is_the_exponential_of_what_the_layer_gives(event):
    head, h, x = NormalHead(5, event).double(), drawn(7, 6, 5), drawn(6, *event, seed=1)
    linear = head.layer[0]
    D = int(np.prod(event))
    outputs = (h @ linear.weight.T + linear.bias).detach().numpy()
    loc, log_scale = outputs[..., :D], outputs[..., D:]
    expected = scipy.stats.norm.logpdf(x.flatten(1).numpy(), loc, np.exp(log_scale)).sum(axis=-1)
    found = head(h).log_prob(x)
    assert found.shape == (7, 6)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("num_features", [5, None])
def test_a_fixed_scale_is_a_standard_deviation(num_features):
    head, x = NormalHead(num_features, (1, 2, 3), scale=0.3).double(), drawn(6, 1, 2, 3, seed=1)
    h = drawn(6, 5) if num_features else drawn(6, 1, 2, 3)
    p = head(h)
    expected = scipy.stats.norm.logpdf(x.numpy(), p.mean.detach().numpy(), 0.3).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(p.log_prob(x).detach().numpy(), expected, rtol=1e-12)
    if num_features is None:
        assert torch.equal(p.mean, h)
        assert list(head.parameters()) == []


def test_a_learned_scale_is_one_number_that_the_likelihood_drives_to_the_residuals():
    head, loc = NormalHead(None, (4,), scale="learned").double(), torch.zeros(500, 4, dtype=torch.float64)
    x = 0.25 * drawn(500, 4)
    assert bool((head(loc).stddev == 1).all())
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=50, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = -head(loc).log_prob(x).mean()
        value.backward()
        return value

    optimizer.step(loss)
    torch.testing.assert_close(head.log_scale.exp().detach(), x.square().mean().sqrt(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("num_features", [5, None])
def test_a_bernoulli_head_gives_logits(num_features):
    head, event = BernoulliHead(num_features, (1, 2, 3)).double(), (1, 2, 3)
    h = drawn(4, 6, 5) if num_features else drawn(4, 6, *event)
    x = (drawn(6, *event, seed=1) > 0).double()
    p = head(h)
    logits = (h @ head.layer[0].weight.T + head.layer[0].bias).reshape(4, 6, *event) if num_features else h
    probability = 1 / (1 + np.exp(-logits.detach().numpy()))
    expected = scipy.stats.bernoulli.logpmf(x.numpy(), probability).sum(axis=(2, 3, 4))
    np.testing.assert_allclose(p.log_prob(x).detach().numpy(), expected, rtol=1e-10)


def test_a_bernoulli_head_refuses_grey_values():
    p = BernoulliHead(None, (1, 2, 2))(torch.zeros(3, 1, 2, 2))
    with pytest.raises(ValueError, match="within the support"):
        p.log_prob(torch.full((3, 1, 2, 2), 0.5))


def test_heads_follow_a_convolutional_decoder_over_samples():
    h = conv_decoder(2, (1, 8, 8))(torch.zeros(3, 5, 2))
    for head in (BernoulliHead(None, (1, 8, 8)), NormalHead(None, (1, 8, 8), scale="learned")):
        p = head(h)
        assert isinstance(p, Independent)
        assert (p.batch_shape, p.event_shape) == ((3, 5), (1, 8, 8))


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_log_probabilities_are_never_in_half_precision(half):
    head = BernoulliHead(None, (1, 2, 2))
    assert head(torch.zeros(3, 1, 2, 2, dtype=half)).log_prob(torch.ones(3, 1, 2, 2)).dtype == torch.float32
    normal = NormalHead(5, (2,)).to(half)
    q = normal(torch.zeros(3, 5, dtype=half))
    assert q.mean.dtype == q.stddev.dtype == torch.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NormalHead(0, (2,)), "num_features must be a whole number of at least 1, but is 0"),
        (lambda: NormalHead(5, ()), "event_shape must be a tuple of sizes such as (20,) or (1, 28, 28), but is ()"),
        (lambda: NormalHead(5, (2, -1)), "event_shape[1] must be a whole number of at least 1, but is -1"),
        (lambda: NormalHead(5, (2,), scale=0.0), "scale must be a finite number greater than 0, but is 0.0"),
        (lambda: NormalHead(5, (2,), scale="fixed"), "'predicted', 'learned' or a positive number, but is 'fixed'"),
        (lambda: NormalHead(None, (2,)), "scale must be 'learned' or a positive number where num_features is None"),
        (lambda: NormalHead(5, (2,))(torch.zeros(3, 4)), "must have shape (..., 5), but has shape (3, 4)"),
        (lambda: BernoulliHead(None, (1, 2, 2))(torch.zeros(3, 4)), "must have shape (..., 1, 2, 2), but has shape"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    "head", [NormalHead(3, (2,)), NormalHead(None, (3,), scale=0.5), BernoulliHead(3, (2,))]
)
def test_a_network_that_diverged_makes_nan_not_an_error(head):
    """So that the loss is NaN, and `fit` says at which step."""
    p = head(torch.full((4, 3), torch.nan))
    assert bool(p.log_prob(torch.ones(4, *p.event_shape)).isnan().all())

"""Errors of the flows, links to other chapters, and that one trains at all."""

import math

import pytest
import torch
from torch import nn

from vaeedu import bounds, data, flows, training
from vaeedu.sampling import seeded


def dequantized(num_levels=4, **options):
    return flows.Dequantized(flows.Flow([flows.ActNorm(2)], (2,)), num_levels, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: flows.AffineCoupling(nn.Linear(1, 2), [True, True]), "some True"),
        (lambda: flows.AffineCoupling(nn.Linear(1, 2), [1, 0]), "mask must hold booleans"),
        (lambda: flows.AffineCoupling(nn.Linear(1, 3), [True, False])(torch.zeros(4, 2)), "last layer 2 wide"),
        (lambda: flows.AffineCoupling(nn.Linear(1, 2), [True, False])(torch.zeros(4, 3)), "x must have shape"),
        (lambda: flows.AffineCoupling(nn.Linear(1, 2), [True, False], max_log_scale=0.0), "max_log_scale"),
        (lambda: flows.SplineCoupling(nn.Linear(1, 5), [True, False], bound=-1.0), "bound must be"),
        (lambda: flows.rational_quadratic(torch.zeros(2), torch.zeros(2, 9)), r"3 K − 1 numbers.*hold 9"),
        (lambda: flows.ActNorm(2).start(torch.zeros(1, 2)), "at least two values a channel"),
        (lambda: flows.Squeeze()(torch.zeros(1, 1, 3, 4)), "even sides"),
        (lambda: flows.Unsqueeze()(torch.zeros(1, 3, 2, 2)), "multiple of 4 channels"),
        (lambda: flows.OnChannels(2, flows.Squeeze())(torch.zeros(1, 4, 2, 2)), r"end it with Unsqueeze\(\)"),
        (lambda: flows.Chain([]), "at least one, but hold none"),
        (lambda: flows.Flow([nn.Linear(2, 2)], (2,)), r"hold Linear: .*AffineCoupling\(network, mask\)"),
        (lambda: flows.Flow([flows.ActNorm(2)], (2,)).log_prob(torch.zeros(3)), "x must have shape"),
        (lambda: flows.Flow([flows.ActNorm(2)], (2,)).log_prob(torch.zeros(2)), "use x.None. for a single"),
        (lambda: flows.Flow([flows.ActNorm(2)], (2,)).sample(2, temperature=-1.0), "temperature must be"),
        (lambda: flows.ContinuousFlow(nn.Identity(), trace="skilling"), "trace must be one of"),
        (lambda: flows.ContinuousFlow(lambda t, x: x[:, :1])(torch.zeros(3, 2)), "last layer 2 wide"),
        (lambda: flows.ContinuousFlow(lambda t, x: x)(torch.zeros(3, 2, 2)), r"use x.flatten\(1\)"),
        (lambda: flows.ContinuousFlow(lambda t, x: x).path(torch.zeros(3, 2), num_points=1), "num_points - 1"),
        (lambda: dequantized(1), "num_levels must be at least 2"),
        (lambda: dequantized(margin=0.0), "margin must lie between 0 and 0.5"),
        (lambda: dequantized().elbo(torch.tensor([[0.5, 1.0]])), r"levels 0, …, 3.*data.quantize\(x, 4\)"),
        (lambda: dequantized().elbo(torch.tensor([[4, 1]])), "entries range from 1 to 4"),
        (lambda: dequantized().elbo(torch.zeros(1, 2, dtype=torch.complex64)), "use x.real"),
        (lambda: dequantized().elbo(torch.tensor([[math.nan, 1.0]])), "must hold levels"),
        (lambda: dequantized().iwae_bound(torch.tensor([[1, 1]]), num_samples=0), "num_samples must be"),
        (lambda: flows.affine_flow((1,)), "at least two entries"),
        (lambda: flows.spline_flow((4,), dropout=1.0), r"dropout must lie in \[0, 1\)"),
        (lambda: flows.image_flow((1, 6, 6)), "halved 2 times"),
    ],
)  # fmt: skip
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_levels_of_any_dtype_are_the_same_levels():
    model, x = dequantized(2), torch.tensor([[0, 1], [1, 1]])
    for other in (x.bool(), x.byte(), x.double()):
        assert torch.equal(model.elbo(other, generator=seeded(0)), model.elbo(x, generator=seeded(0)))


def test_dequantising_is_a_vae_whose_encoder_is_fixed():
    """The library's bounds for VAEs, told that q is uniform over the cell and that the decoder rounds, agree."""
    model = flows.Dequantized(flows.Flow([flows.ActNorm(2).double()], (2,)), 4)
    x = torch.tensor([[0, 3], [1, 2], [2, 2]])

    class Prior(torch.distributions.Distribution):
        """The flow's density of (x + u), in units of levels."""

        event_shape, batch_shape, has_rsample = torch.Size([2]), torch.Size([]), False

        def log_prob(self, v):
            s = model.margin + (1 - 2 * model.margin) * v.flatten(0, -2) / model.num_levels
            slope = (1 - 2 * model.margin) / model.num_levels / (s * (1 - s))
            return (model.flow.log_prob(s.logit()) + slope.log().sum(dim=1)).reshape(v.shape[:-1])

    def encoder(x):
        return torch.distributions.Independent(torch.distributions.Uniform(x, x + 1, validate_args=False), 1)

    class Rounds(torch.distributions.Distribution):
        event_shape = torch.Size([2])

        def __init__(self, v):
            super().__init__(v.shape[:-1], self.event_shape, validate_args=False)
            self.v = v

        def log_prob(self, x):
            return torch.where((self.v.floor() == x).all(dim=-1), 0.0, -math.inf).double()

    log_w = bounds.log_weights(
        x.double(), encoder, Rounds, Prior(validate_args=False), num_samples=1, generator=seeded(1)
    )
    torch.testing.assert_close(
        model.log_weights(x, num_samples=1, generator=seeded(1)), log_w, rtol=0, atol=1e-10
    )


def test_a_flow_learns_two_moons():
    """It beats the Gaussian of the data's own moments, on new points, by more than a tenth of a nat."""
    torch.manual_seed(0)
    flow = flows.spline_flow((2,), num_layers=4, num_hidden=16, num_blocks=1)
    x, new = data.two_moons(400, generator=seeded(0)), data.two_moons(400, generator=seeded(1))
    flow.start(x)
    gaussian = torch.distributions.MultivariateNormal(x.mean(dim=0), x.T.cov())
    history = training.fit(
        flow, x, lambda x, generator: -flow.log_prob(x).mean(), torch.optim.Adam(flow.parameters(), lr=2e-2),
        epochs=10, batch_size=100, generator=seeded(2), progress=False,
    )  # fmt: skip
    assert history.loss[-1] < history.loss[0]
    with torch.no_grad():
        assert flow.log_prob(new).mean() > gaussian.log_prob(new).mean() + 0.1

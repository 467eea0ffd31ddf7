"""What a network's numbers at a pixel mean: probabilities, draws by them, and the logistic's mass in an interval."""

import math
import re

import pytest
import torch

from vaeedu.pixelcnn import (
    BLACK_AND_WHITE,
    Binary,
    LogisticMixture,
    PixelCNN,
    Softmax,
    discretized_logistic_log_prob,
)

OUTPUTS = [BLACK_AND_WHITE, Softmax(2), Softmax(5), LogisticMixture(5), LogisticMixture(16, num_components=3)]


@pytest.mark.parametrize("num_channels", [1, 3])
@pytest.mark.parametrize("output", OUTPUTS, ids=repr)
class TestEveryOutput:
    def test_draws_each_level_as_often_as_its_probability_says(self, output, num_channels):
        """Inverted at u evenly spaced, a cumulative distribution gives each level its share, to the spacing."""
        n = 2000
        u = (torch.arange(n, dtype=torch.float64) + 0.5) / n
        raw = torch.randn(
            output.num_parameters(num_channels), generator=torch.Generator().manual_seed(0)
        ).double()
        steps, pixel = output.steps(num_channels), torch.zeros(n, num_channels, dtype=torch.float64)
        parameters = raw.expand(n, -1).chunk(len(steps), dim=1)
        p = output.probs(output.arrange(raw[None, :, None, None]), pixel[:1, :, None, None])[0, :, :, 0, 0]
        for step, channels in enumerate(steps):
            for c in channels:
                level = torch.empty(n, dtype=torch.float64)
                output.draw(parameters[step], output.noise(u), pixel, c, out=level)
                share = level.long().bincount(minlength=output.num_levels) / n
                assert ((share - p[:, c]).abs() <= 1.001 / n).all()

    def test_its_steps_draw_each_channel_once_in_order(self, output, num_channels):
        assert [c for step in output.steps(num_channels) for c in step] == list(range(num_channels))

    def test_is_a_value(self, output, num_channels):
        """Equal where its settings are, and the same for models of different sizes."""
        assert eval(repr(output)) == output
        assert hash(eval(repr(output))) == hash(output)
        model = PixelCNN((num_channels, 2, 2), output=output, num_channels=6, num_layers=1)
        assert model.output is output
        assert model.num_levels == output.num_levels
        assert model.sample(2).max() < output.num_levels


def test_black_and_white_is_a_softmax_whose_first_logit_is_zero():
    x = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    logits = torch.randn(1, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    both = torch.stack([torch.zeros_like(logits), logits], dim=1)
    torch.testing.assert_close(Binary().log_prob(logits, x), Softmax(2).log_prob(both, x))
    torch.testing.assert_close(Binary().probs(logits, x), Softmax(2).probs(both, x))


@pytest.mark.parametrize("kind", [Softmax, LogisticMixture])
@pytest.mark.parametrize(
    ("num_levels", "words"),
    [
        (1, "num_levels must be at least 2, but is 1: use 2 for black and white, 256 for bytes"),
        (257, "num_levels must be at most 256 (8 bits a pixel), but is 257"),
        (0, "num_levels must be a whole number of at least 1, but is 0"),
    ],
)
def test_bad_levels(kind, num_levels, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        kind(num_levels)


def test_bad_components():
    with pytest.raises(ValueError, match="num_components must be a whole number of at least 1, but is 0"):
        LogisticMixture(256, num_components=0)


class TestDiscretizedLogistic:
    @pytest.mark.parametrize("num_levels", [2, 5, 256])
    @pytest.mark.parametrize("loc", [-3.0, -0.2, 0.0, 1.0])
    @pytest.mark.parametrize("log_scale", [-7.0, -3.0, 0.0, 4.0])
    def test_all_levels_add_up_to_one(self, num_levels, loc, log_scale):
        levels = torch.arange(num_levels, dtype=torch.float64)
        log_p = discretized_logistic_log_prob(
            levels, torch.tensor(loc).double(), torch.tensor(log_scale).double(), num_levels
        )
        assert log_p.exp().sum().item() == pytest.approx(1.0, abs=1e-10)

    def test_is_a_difference_of_sigmoids(self):
        levels = torch.arange(256, dtype=torch.float64)
        loc, log_scale = torch.tensor(0.1).double(), torch.tensor(-2.0).double()
        edges = (torch.arange(257, dtype=torch.float64) * 2 - 1) / 255 - 1
        edges[0], edges[-1] = -torch.inf, torch.inf
        sigma = ((edges - loc) / log_scale.exp()).sigmoid()
        expected = sigma[1:] - sigma[:-1]
        p = discretized_logistic_log_prob(levels, loc, log_scale, 256).exp()
        torch.testing.assert_close(p, expected, rtol=1e-10, atol=0)

    def test_far_out_it_is_still_right(self):
        """Where the difference of sigmoids is 1 − 1 = 0: a thousand scales from μ, in float32."""
        log_p = discretized_logistic_log_prob(
            torch.tensor(1.0), torch.tensor(1.0), torch.tensor(-7.0), 256
        ).item()
        a, width, s = (2 * 1 / 255 - 1 + 1 / 255 - 1), 2 / 255, math.exp(-7)
        expected = a / s + math.log1p(
            -math.exp(-width / s)
        )  # σ(a/s) = e^{a/s} to all digits, and likewise at b
        assert log_p == pytest.approx(expected, rel=1e-6)

    def test_gradients_are_finite_everywhere(self):
        levels = torch.arange(256.0)
        loc = torch.full((256,), 0.3, requires_grad=True)
        log_scale = torch.full((256,), -7.0, requires_grad=True)
        discretized_logistic_log_prob(levels, loc, log_scale, 256).sum().backward()
        assert bool(loc.grad.isfinite().all() and log_scale.grad.isfinite().all())

"""The ancestors obey the same laws as PixelCNN, and each is what its paper says."""

import re

import pytest
import torch
from support.autoregressive_laws import all_images, assert_causal, assert_normalized, sub_pixels

from vaeedu.autoregressive import FVSBN, MADE, NADE, RowLSTM

MODELS = {
    "FVSBN": FVSBN,
    "NADE": lambda shape: NADE(shape, num_hidden=7),
    "MADE": lambda shape: MADE(shape, num_hidden=(20,)),
    "deep MADE": lambda shape: MADE(shape, num_hidden=(30, 20)),
    "RowLSTM": lambda shape: RowLSTM(shape, num_channels=4),
    "deep RowLSTM": lambda shape: RowLSTM(shape, num_channels=4, num_layers=3),
}
COLORFUL = [name for name in MODELS if "Row" not in name]


def make(name, image_shape=(1, 2, 3), seed=0):
    """A small model in float64 with random weights, also where training starts at zero."""
    torch.manual_seed(seed)
    model = MODELS[name](image_shape).double()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.5 * torch.randn_like(weight))
    return model


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", MODELS)
class TestLaws:
    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_probabilities_add_up_to_one(self, name, seed):
        assert_normalized(make(name, seed=seed))

    def test_nothing_depends_on_what_comes_later(self, name):
        model = make(name, (1, 4, 5))
        assert_causal(model, model.logits, sub_pixels((1, 4, 5)))

    def test_images_come_as_often_as_their_probability_says(self, name):
        model, n = make(name, seed=3), 4000
        p = model.log_prob(all_images((1, 2, 3))).exp().detach()
        drawn = model.sample(n, generator=seeded())
        counts = (drawn.flatten(1) @ (2 ** torch.arange(5, -1, -1))).bincount(minlength=64)
        chi_squared = ((counts - n * p).square() / (n * p)).sum().item()
        assert abs(chi_squared - 63) < 5 * (2 * 63) ** 0.5

    def test_gradients_reach_every_parameter(self, name):
        model = make(name, (1, 4, 4))
        x = torch.randint(2, (6, 1, 4, 4), generator=seeded())
        (-model.log_prob(x).mean()).backward()
        assert all(bool(weight.grad.abs().max() > 0) for weight in model.parameters())

    def test_the_generator_is_the_only_randomness(self, name):
        model, before = make(name, (1, 3, 3)), torch.random.get_rng_state()
        assert torch.equal(model.sample(5, generator=seeded()), model.sample(5, generator=seeded()))
        assert torch.equal(before, torch.random.get_rng_state())

    def test_bits(self, name):
        model, x = make(name, (1, 4, 4)), torch.ones(2, 1, 4, 4)
        expected = -model.log_prob(x) / 16 / torch.log(torch.tensor(2.0, dtype=torch.float64))
        torch.testing.assert_close(model.bits_per_dim(x), expected)


@pytest.mark.parametrize("name", COLORFUL)
class TestColors:
    @pytest.mark.parametrize("image_shape", [(3, 1, 2), (2, 3, 1)])
    def test_probabilities_add_up_to_one(self, name, image_shape):
        assert_normalized(make(name, image_shape))

    def test_order(self, name):
        model = make(name, (3, 2, 3))
        assert_causal(model, model.logits, sub_pixels((3, 2, 3)))


class TestDefinitions:
    def test_fvsbn_is_a_logistic_regression_on_the_past(self):
        model, x = make("FVSBN"), all_images((1, 2, 3))[37:40]
        scaled = model.scale(x).flatten(1)
        logits = model.logits(model.scale(x)).flatten(1)
        for d in range(6):
            by_hand = model.bias[d] + scaled[:, :d] @ model.weight[d, :d]
            torch.testing.assert_close(logits[:, d], by_hand)

    def test_nade_extends_its_hidden_layer(self):
        model, x = make("NADE"), all_images((1, 2, 3))[37:40]
        scaled = model.scale(x).flatten(1)
        logits, a = model.logits(model.scale(x)).flatten(1), model.c
        for d in range(6):
            by_hand = (a.sigmoid() * model.V[d]).sum(dim=-1) + model.b[d]
            torch.testing.assert_close(logits[:, d], by_hand.expand(3))
            a = a + scaled[:, d : d + 1] * model.W[d]

    def test_made_gives_every_output_all_inputs_before_it(self):
        """With enough units no connection that may exist is missing."""
        model = make("MADE", (1, 3, 3))
        x = torch.randn(16, 9, dtype=torch.float64, generator=seeded(), requires_grad=True)
        for d in range(9):
            (gradient,) = torch.autograd.grad(model.logits_in_order(x)[:, d].sum(), x)
            assert (gradient.abs().sum(dim=0) > 0).tolist() == [e < d for e in range(9)]

    def test_row_lstm_sees_a_triangle(self):
        """One column to each side more with every row up, from what its first convolution sees."""
        model = make("RowLSTM", (1, 12, 25))
        x = torch.randn(8, 12 * 25, dtype=torch.float64, generator=seeded(), requires_grad=True)
        (gradient,) = torch.autograd.grad(model.logits_in_order(x)[:, 10 * 25 + 12].sum(), x)
        seen = gradient.abs().sum(dim=0).reshape(12, 25) > 0
        kernel = {(-r, c) for r in range(4) for c in range(-3, 4) if r or c < 0}
        expected = torch.zeros(12, 25, dtype=torch.bool)
        for up in range(11):
            for shift in range(
                -up - 1, up + 1
            ):  # a look to the left in every row, and three columns from above
                for r, c in kernel:
                    if 10 - up + r >= 0 and 0 <= 12 + shift + c < 25:
                        expected[10 - up + r, 12 + shift + c] = True
        assert not bool((seen & ~expected).any())
        assert bool(seen[10, 8:12].all())
        assert not bool(seen[10, 12:].any())
        assert int(seen[5].sum()) > int(seen[7].sum()) > int(seen[9].sum())


def refuses(words):
    return pytest.raises(ValueError, match=re.escape(words))


class TestBadInput:
    @pytest.mark.parametrize("name", MODELS)
    def test_images(self, name):
        model = make(name, (1, 3, 3))
        with refuses(
            "x must hold levels 0, …, 1, but its entries range from 0.5 to 0.5: use data.quantize or"
        ):
            model.log_prob(torch.full((1, 1, 3, 3), 0.5))
        with refuses(
            "x must be a tensor of shape (B, C, H, W) with (C, H, W) = (1, 3, 3), but has shape (3, 3)"
        ):
            model.bits_per_dim(torch.zeros(3, 3))
        with refuses("x_scaled must be a tensor of shape (B, C, H, W)"):
            model.logits(torch.zeros(3, 3))
        with refuses("levels must hold levels 0, …, 1"):
            model.scale(torch.full((1, 1, 3, 3), 2))
        with refuses("n must be a whole number of at least 1, but is 0"):
            model.sample(0)

    @pytest.mark.parametrize("model", [FVSBN, NADE, MADE, RowLSTM])
    def test_image_shape(self, model):
        with refuses("image_shape must be (C, H, W), channels first, but is (28, 28): use (1, 28, 28)"):
            model((28, 28))

    def test_settings(self):
        with refuses("num_hidden must be a whole number of at least 1, but is 0"):
            NADE((1, 2, 2), num_hidden=0)
        with refuses("num_hidden must be a whole number of at least 1, but is 0"):
            MADE((1, 2, 2), num_hidden=(3, 0))
        with refuses("image_shape must have one channel, but is (3, 2, 2): use PixelCNN for colours"):
            RowLSTM((3, 2, 2))
        with refuses("num_layers must be a whole number of at least 1, but is 0"):
            RowLSTM((1, 2, 2), num_layers=0)
        with refuses("num_channels must be a whole number of at least 1, but is 0"):
            RowLSTM((1, 2, 2), num_channels=0)

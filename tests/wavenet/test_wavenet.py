"""What a WaveNet must obey, that both samplers do what it says, and that bad input is refused."""

import itertools
import math
import re

import pytest
import torch

from vaeedu import wavenet
from vaeedu.wavenet import CausalConv1d, NGram, WaveNet, incremental_logits, receptive_field


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make(seed=0, **settings):
    torch.manual_seed(seed)
    model = WaveNet(**({"num_levels": 4, "dilations": (1, 3, 2), "num_channels": 5} | settings)).double()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_() if "label" in name else weight.mul_(2.0)  # what a label adds starts at zero
    return model


def all_sounds(T, L):
    return torch.tensor(list(itertools.product(range(L), repeat=T)))


def test_probabilities_of_all_sounds_add_up_to_1():
    for y in (0, 1):
        p = make(num_levels=3, num_classes=2).log_prob(all_sounds(5, 3), y).detach().exp()
        assert abs(float(p.sum()) - 1) < 1e-10


def test_no_gradient_comes_from_the_future():
    model, y = make(), None
    h = torch.randn(2, 5, 12, dtype=torch.float64, generator=seeded(), requires_grad=True)
    for t in (0, 4, 11):
        (gradient,) = torch.autograd.grad(model.network(h, y)[:, :, t].square().sum(), h, allow_unused=True)
        assert not gradient[:, :, t:].any()
        assert t == 0 or gradient[:, :, t - 1].any()


@pytest.mark.parametrize("dilations", [(1,), (1, 2, 4, 8), (3, 1), (2, 2, 5)])
@pytest.mark.parametrize("kernel_size", [2, 3])
def test_the_field_by_gradient_is_that_of_the_formula(dilations, kernel_size):
    model = make(dilations=dilations, kernel_size=kernel_size)
    expected = 1 + (kernel_size - 1) * sum(dilations)
    assert model.receptive_field == receptive_field(dilations, kernel_size) == expected
    seen = model.measured_field(expected + 5).nonzero().flatten()
    assert int(seen.max()) == expected + 3  # the sample before the last
    assert int(seen.min()) == 4
    assert not model.measured_field(expected + 5).isnan().any()


def test_log_prob_is_the_sum_of_what_is_predicted():
    model, x = make(num_classes=3), torch.randint(4, (5, 20), generator=seeded())
    y = torch.tensor([0, 1, 2, 0, 1])
    p = model.logits(x, y).softmax(dim=1).gather(1, x[:, None])[:, 0]
    torch.testing.assert_close(model.log_prob(x, y), p.log().sum(dim=1), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(model.bits_per_sample(x, y), -p.log2().mean(dim=1), rtol=1e-10, atol=1e-10)
    blind = make()
    torch.nn.init.zeros_(blind.head[-1].weight)
    torch.nn.init.zeros_(blind.head[-1].bias)
    torch.testing.assert_close(blind.bits_per_sample(x), torch.full((5,), 2.0, dtype=torch.float64))


def test_the_class_has_a_say_once_it_has_learnt_one():
    x = torch.randint(4, (1, 20), generator=seeded()).expand(2, 20)
    fresh = WaveNet(4, (1, 2), 5, 2)
    assert torch.equal(*fresh.log_prob(x, torch.tensor([0, 1])))
    assert not torch.equal(*make(num_classes=2).log_prob(x, torch.tensor([0, 1])))


def test_a_causal_convolution_is_its_formula():
    conv = CausalConv1d(2, 3, 3, dilation=2).double()
    x = torch.randn(1, 2, 9, dtype=torch.float64, generator=seeded())
    for t in range(9):
        expected = conv.bias.clone()
        for j in range(3):
            if t - 2 * j >= 0:
                expected = expected + conv.weight[:, :, 2 - j] @ x[0, :, t - 2 * j]
        torch.testing.assert_close(conv(x)[0, :, t], expected, rtol=1e-12, atol=1e-12)


SETTINGS = [
    {},
    {"num_classes": 3},
    {"kernel_size": 3, "dilations": (1, 4, 2), "num_skip": 7},
    {"kernel_size": 1},
    {"dilations": (5,), "num_levels": 256},
]


@pytest.mark.parametrize("settings", SETTINGS)
class TestSamplers:
    def test_the_cached_one_computes_what_the_network_does(self, settings):
        model = make(**settings)
        y = torch.tensor([2, 0]) if model.num_classes else None
        x = torch.randint(model.num_levels, (2, 40), generator=seeded())
        torch.testing.assert_close(
            incremental_logits(model, x, y), model.logits(x, y).detach(), rtol=1e-10, atol=1e-10
        )

    def test_both_draw_the_same_sounds_from_the_same_draws(self, settings):
        model = make(**settings)
        y = torch.tensor([2, 0, 1]) if model.num_classes else None
        one, other = (model.sample(3, 40, y, method=m, generator=seeded(1)) for m in ("cached", "naive"))
        assert torch.equal(one, other)
        assert one.unique().numel() > 1


@pytest.mark.parametrize("method", ["cached", "naive"])
class TestDraws:
    def test_sounds_come_as_often_as_their_probability_says(self, method):
        """The squared errors over all 81 sounds, in standard errors, behave like a χ² with 80 degrees of freedom."""
        model, n = make(num_levels=3, dilations=(1, 2)), 4000
        p = model.log_prob(all_sounds(4, 3)).exp().detach()
        drawn = model.sample(n, 4, method=method, generator=seeded())
        counts = (drawn @ torch.tensor([27, 9, 3, 1])).bincount(minlength=81)
        assert abs(((counts - n * p).square() / (n * p)).sum().item() - 80) < 5 * (2 * 80) ** 0.5

    def test_a_sound_goes_on_as_it_begins(self, method):
        model, n = make(num_levels=3, dilations=(1, 2)), 4000
        given = torch.tensor([[2, 0, 1]]).expand(n, 3)
        drawn = model.sample(n, 4, given=given, method=method, generator=seeded())
        assert torch.equal(drawn[:, :3], given)
        whole = torch.cat([given[:3], torch.arange(3)[:, None]], dim=1)
        p = model.log_prob(whole).softmax(dim=0).detach()
        share = drawn[:, 3].bincount(minlength=3) / n
        assert ((share - p).abs() <= 5 * (p * (1 - p) / n).sqrt()).all()

    def test_the_generator_is_the_only_randomness(self, method):
        model, before = make(), torch.random.get_rng_state()
        one, other = (model.sample(2, 30, method=method, generator=seeded(5)) for _ in range(2))
        assert torch.equal(one, other)
        assert torch.equal(before, torch.random.get_rng_state())

    def test_new_weights_are_used(self, method):
        model = make()
        model.sample(1, 5, method=method, generator=seeded())
        with torch.no_grad():
            model.head[-1].bias[3] = 100.0
        assert (model.sample(2, 8, method=method, generator=seeded()) == 3).all()


def test_samples_can_be_trained_on():
    model = make()
    x = model.sample(2, 10, generator=seeded())
    assert x.dtype == torch.int64
    (-model.log_prob(x).mean()).backward()
    assert model.height.grad.abs().sum() > 0
    assert model.embedding.weight.grad.isfinite().all()


def test_progress(capsys):
    make().sample(1, 6, progress=True)
    assert "6/6" in capsys.readouterr().err


class TestNGram:
    @pytest.mark.parametrize("order", [0, 1, 2])
    def test_probabilities_of_all_sounds_add_up_to_1(self, order):
        sounds = [torch.randint(3, (30,), generator=seeded(i)) for i in range(3)]
        model = NGram(3, order, strength=0.7).fit(sounds)
        assert abs(float(model.log_prob(all_sounds(4, 3)).exp().sum()) - 1) < 1e-12
        assert model.probs_[order].shape == (3**order, 3)

    def test_counting(self):
        model = NGram(2, 1, strength=2.0).fit([torch.tensor([0, 1, 1, 0]), torch.tensor([1])])
        unigram = [(2 + 1) / 7, (3 + 1) / 7]
        torch.testing.assert_close(model.probs_[0], torch.tensor([unigram], dtype=torch.float64))
        pairs = [
            [(0 + 2 * unigram[0]) / 3, (1 + 2 * unigram[1]) / 3],
            [(1 + 2 * unigram[0]) / 4, (1 + 2 * unigram[1]) / 4],
        ]
        torch.testing.assert_close(model.probs_[1], torch.tensor(pairs, dtype=torch.float64))

    def test_bits(self):
        x = torch.randint(4, (2, 50), generator=seeded())
        model = NGram(4, 0).fit([x[0]])
        expected = -model.probs_[0][0][x].log2().mean(dim=1)
        torch.testing.assert_close(model.bits_per_sample(x), expected)
        assert NGram(4, 2).fit([x[0]]).log_prob(x[:, :1]).isfinite().all()

    def test_bad_input(self):
        with refuses("order must be at most 2, because its table grows as L^(m + 1), but is 3"):
            NGram(4, 3)
        with refuses("strength must be a finite number greater than 0, but is 0.0"):
            NGram(4, 1, strength=0.0)
        with refuses("sounds must hold at least one sound, but is empty"):
            NGram(4, 1).fit([])


def refuses(words):
    return pytest.raises(ValueError, match=re.escape(words))


class TestBadInput:
    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"num_levels": 1}, "num_levels must be at least 2, but is 1: use 256"),
            (
                {"dilations": ()},
                "dilations must be one number for each unit, such as (1, 2, 4, 8), but is ()",
            ),
            ({"dilations": 4}, "dilations must be one number for each unit, such as (1, 2, 4, 8), but is 4"),
            ({"dilations": (1, 0)}, "dilations must be a whole number of at least 1, but is 0"),
            ({"num_channels": 0}, "num_channels must be a whole number of at least 1, but is 0"),
            ({"num_classes": 0}, "num_classes must be a whole number of at least 1, but is 0"),
            ({"kernel_size": 0}, "kernel_size must be a whole number of at least 1, but is 0"),
            ({"num_skip": 0}, "num_skip must be a whole number of at least 1, but is 0"),
        ],
    )
    def test_settings(self, settings, words):
        with refuses(words):
            WaveNet(**({"num_levels": 4, "dilations": (1, 2), "num_channels": 3} | settings))

    @pytest.mark.parametrize(
        ("x", "words"),
        [
            (
                torch.zeros(2, 3),
                "x must be whole numbers (B, T), levels of sounds, but is torch.float32 (2, 3): call",
            ),
            (
                torch.zeros(3, dtype=torch.int64),
                "x must be whole numbers (B, T), levels of sounds, but is torch.int64 (3,)",
            ),
            ([[1]], "x must be whole numbers (B, T), levels of sounds, but is list"),
            (torch.tensor([[0, 4]]), "x must hold levels 0, …, 3, but ranges from 0 to 4"),
        ],
    )
    def test_levels(self, x, words):
        for method in ("log_prob", "logits", "bits_per_sample"):
            with refuses(words):
                getattr(make(), method)(x)

    def test_labels(self):
        x = torch.zeros(2, 3, dtype=torch.int64)
        with refuses("y must be whole numbers of shape (2,), one for each example, but is None"):
            make(num_classes=2).log_prob(x)
        with refuses("y must be None for a model without num_classes"):
            make().log_prob(x, 0)
        with refuses("y must hold labels 0, …, 1, but its entries range from 2 to 2"):
            make(num_classes=2).sample(2, 5, 2)

    def test_sampling(self):
        with refuses("n must be a whole number of at least 1, but is 0"):
            make().sample(0, 5)
        with refuses("num_samples must be a whole number of at least 1, but is 0"):
            make().sample(1, 0)
        with refuses("method must be one of 'cached', 'naive', but is 'fast'"):
            make().sample(1, 5, method="fast")
        with refuses("given must be levels (n, T0) with n = 2 and T0 ≤ 3, but is (2, 4)"):
            make().sample(2, 3, given=torch.zeros(2, 4, dtype=torch.int64))

    def test_layers(self):
        with refuses("dilation must be a whole number of at least 1, but is 0"):
            CausalConv1d(1, 1, 2, dilation=0)
        with refuses("num_samples must be a whole number of at least 1, but is 0"):
            make().measured_field(0)
        with refuses("dilations must be a whole number of at least 1, but is 0"):
            receptive_field([1, 0])


def test_what_is_shared_with_the_pixelcnn_is_one_function():
    from vaeedu.networks import autoregressive
    from vaeedu.pixelcnn import layers as pixel_layers
    from vaeedu.pixelcnn import outputs
    from vaeedu.pixelcnn.fast import gated

    assert wavenet.layers.gate is pixel_layers.gate is autoregressive.gate
    assert wavenet.fast.negated_gate is gated.negated_gate
    assert wavenet.naive.invert_cumulative is wavenet.fast.invert_cumulative is outputs.invert_cumulative
    assert math.isclose(
        float(autoregressive.gate(torch.tensor([[0.3, -0.2]]))),
        math.tanh(0.3) / (1 + math.exp(0.2)),
        rel_tol=1e-6,
    )

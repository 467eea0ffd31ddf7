"""Masks and masked convolutions, each against a definition written differently."""

import re

import pytest
import torch

from vaeedu.pixelcnn import GatedPixelCNN, MaskedConv2d, PixelCNN, causal_mask, feature_colors


class TestMask:
    @pytest.mark.parametrize("mask_type", ["A", "B"])
    @pytest.mark.parametrize("kernel_size", [(1, 1), (3, 3), (7, 7), (1, 5), (3, 5)])
    @pytest.mark.parametrize("num_colors", [1, 2, 3])
    def test_is_the_order_of_generation(self, mask_type, kernel_size, num_colors):
        """A weight stays exactly if its input comes before its output, or with mask B is of the same sub-pixel."""
        out_colors, in_colors = feature_colors(7, num_colors), feature_colors(5, num_colors)
        mask = causal_mask(mask_type, out_colors, in_colors, kernel_size)
        height, width = kernel_size
        for o, i, a, b in torch.cartesian_prod(*(torch.arange(size) for size in mask.shape)).tolist():
            source = (a - height // 2, b - width // 2, int(in_colors[i]))
            target = (0, 0, int(out_colors[o]))
            allowed = source < target if mask_type == "A" else source <= target
            assert mask[o, i, a, b] == float(allowed)

    def test_colors_are_dealt_out_evenly_and_in_order(self):
        for num_features in range(3, 20):
            colors = feature_colors(num_features, 3)
            counts = colors.bincount(minlength=3)
            assert int(counts.max() - counts.min()) <= 1
            assert torch.equal(colors, colors.sort().values)

    def test_unknown_type(self):
        with pytest.raises(ValueError, match="mask_type must be one of 'A', 'B', but is 'C'"):
            MaskedConv2d(1, 1, 3, mask_type="C")

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ((1, 1, 4), "kernel_size must be odd, so that the kernel has a centre, but is 4: use 5"),
            (
                (1, 1, (3, 2)),
                "kernel_size must be odd, so that the kernel has a centre, but is (3, 2): use 3",
            ),
            ((1, 1, 0), "kernel_size must be a whole number of at least 1, but is 0"),
            ((0, 1, 3), "in_channels must be a whole number of at least 1, but is 0"),
            ((1, 0, 3), "out_channels must be a whole number of at least 1, but is 0"),
        ],
    )
    def test_bad_arguments(self, arguments, words):
        with pytest.raises(ValueError, match=re.escape(words)):
            MaskedConv2d(*arguments, mask_type="A")


class TestMaskedConv2d:
    def test_the_weights_are_left_alone(self):
        """Masked weights keep their values and have no gradient; what an optimiser does to them changes nothing."""
        conv = MaskedConv2d(2, 3, 3, mask_type="B")
        before, x = conv.weight.detach().clone(), torch.randn(1, 2, 5, 5)
        out = conv(x)
        out.square().sum().backward()
        assert torch.equal(conv.weight.detach(), before)
        assert not conv.weight.grad[conv.mask == 0].any()
        with torch.no_grad():
            conv.weight[conv.mask == 0] += 100.0
        torch.testing.assert_close(conv(x), out)

    def test_is_a_sum_over_earlier_pixels(self):
        conv, x = MaskedConv2d(1, 1, 3, mask_type="A").double(), torch.randn(1, 1, 4, 4, dtype=torch.float64)
        w, (i, j) = conv.weight[0, 0], (2, 1)
        by_hand = conv.bias[0] + sum(w[1, b] * x[0, 0, i, j + b - 1] for b in (0,))
        by_hand = by_hand + sum(w[0, b] * x[0, 0, i - 1, j + b - 1] for b in range(3))
        torch.testing.assert_close(conv(x)[0, 0, i, j], by_hand)

    def test_the_mask_is_no_state(self):
        assert set(MaskedConv2d(1, 1, 3, mask_type="A").state_dict()) == {"weight", "bias"}


@pytest.mark.parametrize("kind", [PixelCNN, GatedPixelCNN])
def test_the_fast_layout_and_gate_change_no_number(kind, monkeypatch):
    """Features lie pixel by pixel on a CPU; channel by channel, with the gate written out, they come out the same."""
    torch.manual_seed(0)
    model = kind((1, 9, 8), num_channels=8, num_layers=4)
    x = (torch.rand(5, 1, 9, 8, generator=torch.Generator().manual_seed(0)) < 0.3).float()

    def numbers():
        model.zero_grad()
        log_p = model.log_prob(x)
        log_p.sum().backward()
        return [log_p.detach(), *(p.grad.clone() for p in model.parameters())]

    shapes = []
    hook = model.head.register_forward_pre_hook(
        lambda _, features: shapes.append(features[0].is_contiguous(memory_format=torch.channels_last))
    )
    fast = numbers()
    hook.remove()
    assert shapes == [True]
    model.to(memory_format=torch.contiguous_format)
    monkeypatch.setattr("vaeedu.pixelcnn.networks.in_fast_layout", lambda features: features)
    monkeypatch.setattr(
        "vaeedu.pixelcnn.layers.gate", lambda f: f.chunk(2, 1)[0].tanh() * f.chunk(2, 1)[1].sigmoid()
    )
    for found, expected in zip(fast, numbers(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)

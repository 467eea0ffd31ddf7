"""Laws of exact models: they normalise, look back only, and see as far as theory says."""

import pytest
import torch
from support.autoregressive_laws import all_images, assert_causal, assert_normalized, sub_pixels

from vaeedu.pixelcnn import BLACK_AND_WHITE, GatedPixelCNN, LogisticMixture, PixelCNN, Softmax

MODELS = {"plain": PixelCNN, "gated": GatedPixelCNN}


def make(kind, image_shape=(1, 2, 3), seed=0, **settings):
    """A small model in float64 with random weights, its weights larger than at the start of training."""
    torch.manual_seed(seed)
    if kind == "plain":
        settings.pop("shortcuts", None)
    model = MODELS[kind](image_shape, **({"num_channels": 5, "num_layers": 3} | settings)).double()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_() if "label" in name else weight.mul_(2.0)  # what a label adds starts at zero
    return model


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", MODELS)
class TestProbabilitiesAddUpToOne:
    def test_black_and_white(self, kind, seed):
        assert_normalized(make(kind, seed=seed))

    @pytest.mark.parametrize("image_shape", [(3, 1, 2), (3, 2, 1), (2, 3, 1)])
    def test_colors(self, kind, seed, image_shape):
        assert_normalized(make(kind, image_shape, seed))

    def test_many_levels(self, kind, seed):
        assert_normalized(make(kind, (1, 2, 2), seed, output=Softmax(5)), num_levels=5)

    def test_labels(self, kind, seed):
        model = make(kind, seed=seed, num_classes=3)
        for y in range(3):
            assert_normalized(model, y=y)

    @pytest.mark.parametrize("image_shape", [(3, 1, 1), (1, 2, 2), (2, 1, 2)])
    def test_logistic_mixtures(self, kind, seed, image_shape):
        model = make(kind, image_shape, seed, output=LogisticMixture(4, num_components=3))
        assert_normalized(model, num_levels=4)

    def test_short_cuts(self, kind, seed):
        assert_normalized(make(kind, (3, 1, 2), seed, num_layers=6, shortcuts=True))


def assert_looks_back(model, order):
    """Of all that the network computes at a pixel, nothing depends on the sub-pixel itself or a later one."""

    def at(raw, place):
        c, i, j = place
        return raw[:, :, i, j].chunk(model.num_colors, dim=1)[c if model.num_colors > 1 else 0]

    assert_causal(model, lambda x: model.network(x, None), order, at=at)


@pytest.mark.parametrize("kind", MODELS)
class TestOrder:
    @pytest.mark.parametrize("image_shape", [(1, 5, 5), (3, 3, 4), (2, 4, 3)])
    @pytest.mark.parametrize("output", [BLACK_AND_WHITE, Softmax(4)], ids=repr)
    def test_nothing_depends_on_what_comes_later(self, kind, image_shape, output):
        model = make(kind, image_shape, num_channels=6, output=output, shortcuts=True, num_layers=5)
        assert_looks_back(model, sub_pixels(image_shape))

    def test_a_mixture_depends_on_whole_earlier_pixels(self, kind):
        model = make(kind, (3, 3, 3), output=LogisticMixture(8))
        places = [place for place in sub_pixels((3, 3, 3)) if place[0] == 0]
        assert_looks_back(model, [(slice(None), i, j) for _, i, j in places])

    @pytest.mark.parametrize("output", [Softmax(4), LogisticMixture(4)], ids=repr)
    def test_colors_depend_on_the_colors_before_them(self, kind, output):
        """What is predicted for channel c of the first pixel changes with channels below c, and with no other."""
        model = make(kind, (3, 2, 2), output=output)
        x = torch.ones(4, 3, 2, 2, dtype=torch.int64)
        for c in range(3):
            x[c + 1, c, 0, 0] = 3
        p = model.predictive(x)[..., 0, 0]  # (changed, L, C)
        changed = (p[1:] - p[:1]).abs().amax(dim=1) > 1e-9  # (changed channel, predicted channel)
        assert changed.tolist() == [[False, True, True], [False, False, True], [False, False, False]]


def staircase(num_layers, size):
    """Which offsets a stack of masked convolutions sees, by adding up what each kernel sees."""
    kernel_a = {(-r, c) for r in range(1, 4) for c in range(-3, 4)} | {(0, -c) for c in range(1, 4)}
    kernel_b = {(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0)}
    seen = kernel_a
    for _ in range(num_layers - 1):
        seen = {(r + dr, c + dc) for r, c in seen for dr, dc in kernel_b}
    return as_picture(seen, size)


def rectangle(num_layers, size):
    """The same for the gated network: everything above, and everything to the left, up to its reach."""
    reach = 3 + num_layers - 1
    above = {(-r, c) for r in range(1, reach + 1) for c in range(-reach, reach + 1)}
    return as_picture(above | {(0, -c) for c in range(1, reach + 1)}, size)


def as_picture(offsets, size):
    picture, middle = torch.zeros(size, size, dtype=torch.bool), size // 2
    for row, column in offsets:
        if 0 <= middle + row < size and 0 <= middle + column < size:
            picture[middle + row, middle + column] = True
    return picture


class TestReceptiveField:
    @pytest.mark.parametrize("num_layers", [1, 2, 4])
    def test_pixelcnn_sees_a_staircase(self, num_layers):
        seen = make("plain", (1, 17, 17), num_layers=num_layers).receptive_field() > 0
        assert torch.equal(seen[0], staircase(num_layers, 17))

    @pytest.mark.parametrize("num_layers", [1, 2, 4])
    def test_gated_pixelcnn_sees_a_rectangle(self, num_layers):
        seen = make("gated", (1, 17, 17), num_layers=num_layers).receptive_field() > 0
        assert torch.equal(seen[0], rectangle(num_layers, 17))

    def test_no_depth_removes_the_blind_spot(self):
        """With as many layers as there are rows, PixelCNN still misses the wedge right of the pixel."""
        plain = make("plain", (1, 15, 15), num_layers=14).receptive_field((14, 2))[0] > 0
        gated = make("gated", (1, 15, 15), num_layers=14).receptive_field((14, 2))[0] > 0
        assert bool(gated[:14].all())
        assert not plain[13, 7:].any()
        assert bool(plain[5, :11].all())

    def test_of_colors(self):
        for kind in MODELS:
            model = make(kind, (3, 7, 7))
            for c in range(3):
                field = model.receptive_field((3, 3), channel=c) > 0
                assert field[:, 3, 3].tolist() == [d < c for d in range(3)]
                assert bool(field[:, 3, 2].all())

    def test_is_the_same_each_time(self):
        model = make("gated", (1, 7, 7), num_classes=2)
        assert torch.equal(model.receptive_field(), model.receptive_field())

    @pytest.mark.parametrize(("pixel", "channel"), [((5, 0), 0), ((-1, 0), 0), ((0, 0), 1)])
    def test_outside(self, pixel, channel):
        with pytest.raises(ValueError, match="must lie in an image of shape"):
            make("gated", (1, 5, 5)).receptive_field(pixel, channel=channel)


class TestLikelihood:
    @pytest.mark.parametrize("kind", MODELS)
    @pytest.mark.parametrize("output", [BLACK_AND_WHITE, Softmax(4), LogisticMixture(4)], ids=repr)
    def test_is_the_product_of_the_predictive_probabilities(self, kind, output):
        model = make(kind, (2, 3, 2), output=output)
        x = torch.randint(model.num_levels, (5, 2, 3, 2), generator=torch.Generator().manual_seed(0))
        p = model.predictive(x).gather(1, x[:, None]).squeeze(1)
        torch.testing.assert_close(model.log_prob(x), p.log().sum(dim=(1, 2, 3)), rtol=1e-10, atol=1e-10)

    def test_bits(self):
        model = make("gated", (1, 4, 4))
        x = torch.ones(2, 1, 4, 4)
        expected = -model.log_prob(x) / 16 / torch.log(torch.tensor(2.0, dtype=torch.float64))
        torch.testing.assert_close(model.bits_per_dim(x), expected)

    def test_a_blind_model_takes_a_bit_a_pixel(self):
        model = make("plain", (1, 4, 4))
        torch.nn.init.zeros_(model.head[-1].weight)
        torch.nn.init.zeros_(model.head[-1].bias)
        bits = model.bits_per_dim(torch.ones(1, 1, 4, 4))
        torch.testing.assert_close(bits, torch.ones(1, dtype=torch.float64))

    def test_labels_matter(self):
        model, x = make("gated", num_classes=4), all_images((1, 2, 3))[:4]
        each = torch.stack([model.log_prob(x, y) for y in range(4)])
        torch.testing.assert_close(model.log_prob(x, torch.arange(4)), each.diagonal())
        assert each.std(dim=0).min() > 1e-3

    @pytest.mark.parametrize("kind", MODELS)
    def test_labels_add_nothing_before_the_training(self, kind):
        x = all_images((1, 2, 3))[:4]
        model = MODELS[kind]((1, 2, 3), num_channels=5, num_layers=3, num_classes=4)
        each = torch.stack([model.log_prob(x, y) for y in range(4)])
        assert torch.equal(each, each[:1].expand_as(each))

    def test_trains(self):
        """Gradients reach every parameter that any pixel uses."""
        for kind in MODELS:
            model = make(kind, (2, 5, 5), num_layers=6, num_classes=2, shortcuts=True)
            x = torch.randint(2, (6, 2, 5, 5), generator=torch.Generator().manual_seed(0))
            (-model.log_prob(x, torch.tensor([0, 1] * 3)).mean()).backward()
            for name, weight in model.named_parameters():
                # The last layer's vertical stack feeds the horizontal one, so nothing is left without a gradient.
                assert weight.grad is not None, name
                assert weight.grad.abs().max() > 0, name

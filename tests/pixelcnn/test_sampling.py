"""Both samplers do what the model says, and bad input is refused."""

import re

import pytest
import torch
from support.autoregressive_laws import all_images

from vaeedu.pixelcnn import GatedPixelCNN, PixelCNN, Softmax


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", [PixelCNN, GatedPixelCNN])
@pytest.mark.parametrize("method", ["cached", "naive"])
class TestDraws:
    def test_images_come_as_often_as_their_probability_says(self, kind, method):
        """Over all 64 images, the squared errors in standard errors behave like a χ² with 63 degrees of freedom."""
        torch.manual_seed(3)
        model, n = kind((1, 2, 3), num_channels=5, num_layers=3).double(), 4000
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(2.0)
        everything = all_images((1, 2, 3))
        p = model.log_prob(everything).exp().detach()
        drawn = model.sample(n, method=method, generator=seeded())
        counts = (drawn.flatten(1) @ (2 ** torch.arange(5, -1, -1))).bincount(minlength=64)
        chi_squared = ((counts - n * p).square() / (n * p)).sum().item()
        assert abs(chi_squared - 63) < 5 * (2 * 63) ** 0.5

    def test_half_an_image_is_completed_by_its_conditional(self, kind, method):
        torch.manual_seed(4)
        model, n = kind((1, 2, 2), num_channels=5, num_layers=3).double(), 4000
        x = torch.tensor([[[[1, 0], [0, 0]]]])
        mask = torch.tensor([[True, True], [False, False]])
        drawn = model.complete(x.expand(n, 1, 2, 2), mask, method=method, generator=seeded())
        ends = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
        whole = torch.cat([x[:, 0, :1].expand(4, 1, 2), ends[:, None]], dim=1)[:, None]
        p = model.log_prob(whole).softmax(dim=0).detach()
        counts = (drawn[:, 0, 1] @ torch.tensor([2, 1])).bincount(minlength=4)
        assert ((counts / n - p).abs() <= 5 * (p * (1 - p) / n).sqrt()).all()

    def test_can_be_watched(self, kind, method):
        seen = []
        model = kind((1, 4, 3), num_channels=4, num_layers=2)
        drawn = model.sample(
            2, method=method, generator=seeded(), on_row=lambda i, images: seen.append((i, images))
        )
        assert [i for i, _ in seen] == [0, 1, 2, 3]
        for i, images in seen:
            assert torch.equal(images[:, :, : i + 1], drawn[:, :, : i + 1])
            assert not images[:, :, i + 1 :].any()

    def test_the_generator_is_the_only_randomness(self, kind, method):
        model = kind((1, 4, 4), num_channels=4, num_layers=2)
        before = torch.random.get_rng_state()
        one, other = (model.sample(3, method=method, generator=seeded(5)) for _ in range(2))
        assert torch.equal(one, other)
        assert torch.equal(before, torch.random.get_rng_state())
        assert not torch.equal(one, model.sample(3, method=method, generator=seeded(6)))


def test_samples_can_be_trained_on():
    """They are ordinary tensors, though drawn in inference mode; and drawing leaves no trace in the model."""
    model = GatedPixelCNN((1, 4, 4), num_channels=4, num_layers=2)
    x = model.sample(2, generator=seeded())
    assert x.dtype == torch.int64
    assert not x.is_inference()
    (-model.log_prob(x).mean()).backward()
    again = model.sample(2, generator=seeded())
    assert torch.equal(x, again)


def test_new_weights_are_used():
    model = PixelCNN((1, 4, 4), num_channels=4, num_layers=2)
    first = model.sample(8, generator=seeded())
    with torch.no_grad():
        model.head[-1].bias.fill_(50.0)
    assert not first.bool().all()
    assert model.sample(8, generator=seeded()).bool().all()


def test_progress(capsys):
    PixelCNN((1, 3, 3), num_channels=2, num_layers=1).sample(1, progress=True)
    assert "3/3" in capsys.readouterr().err


def refuses(words):
    return pytest.raises(ValueError, match=re.escape(words))


@pytest.mark.parametrize("kind", [PixelCNN, GatedPixelCNN])
class TestBadInput:
    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            (
                {"image_shape": (28, 28)},
                "image_shape must be (C, H, W), channels first, but is (28, 28): use",
            ),
            ({"image_shape": (1, 0, 28)}, "image_shape[1] must be a whole number of at least 1, but is 0"),
            ({"output": 17}, "output must be Binary(), Softmax(L) or LogisticMixture(L), but is 17"),
            ({"output": Softmax}, "output must be Binary(), Softmax(L) or LogisticMixture(L), but is <class"),
            ({"num_layers": 0}, "num_layers must be a whole number of at least 1, but is 0"),
            ({"num_classes": 0}, "num_classes must be a whole number of at least 1, but is 0"),
            (
                {"image_shape": (3, 4, 4), "num_channels": 2},
                "num_channels must be at least 3, a feature for each of the image's channels, but is 2",
            ),
        ],
    )
    def test_settings(self, kind, settings, words):
        with refuses(words):
            kind(**({"image_shape": (1, 4, 4)} | settings))

    @pytest.mark.parametrize(
        ("x", "words"),
        [
            (
                torch.zeros(4, 4),
                "x must be a tensor of shape (B, C, H, W) with (C, H, W) = (1, 4, 4), but has shape (4,",
            ),
            ([1], "x must be a tensor of shape (B, C, H, W) with (C, H, W) = (1, 4, 4), but is list"),
            (
                torch.full((1, 1, 4, 4), 0.5),
                "x must hold levels 0, …, 1, but its entries range from 0.5 to 0.5",
            ),
            (torch.full((1, 1, 4, 4), 2), "x must hold levels 0, …, 1, but its entries range from 2 to 2"),
            (torch.full((1, 1, 4, 4), -1), "x must hold levels 0, …, 1, but its entries range from -1 to -1"),
            (
                torch.full((1, 1, 4, 4), torch.nan),
                "x must hold levels 0, …, 1, but its entries range from nan to nan",
            ),
            (torch.zeros(1, 1, 4, 4) * 1j, "x must hold whole numbers, but is torch.complex64"),
        ],
    )
    def test_images(self, kind, x, words):
        model = kind((1, 4, 4), num_channels=2, num_layers=1)
        for method in (model.log_prob, model.bits_per_dim, model.predictive):
            with refuses(words):
                method(x)

    @pytest.mark.parametrize(
        ("y", "words"),
        [
            (None, "y must be whole numbers of shape (2,), one for each example, but is None"),
            (
                torch.zeros(3).long(),
                "y must be whole numbers of shape (2,), one for each example, but is torch.int64 of",
            ),
            (
                torch.zeros(2),
                "y must be whole numbers of shape (2,), one for each example, but is torch.float32 of",
            ),
            (True, "y must be whole numbers of shape (2,), one for each example, but is True"),
            (3, "y must hold labels 0, …, 2, but its entries range from 3 to 3"),
            (torch.tensor([0, -1]), "y must hold labels 0, …, 2, but its entries range from -1 to 0"),
        ],
    )
    def test_labels(self, kind, y, words):
        model = kind((1, 4, 4), num_channels=2, num_layers=1, num_classes=3)
        with refuses(words):
            model.log_prob(torch.zeros(2, 1, 4, 4), y)
        with refuses(words):
            model.sample(2, y)

    def test_labels_for_a_model_without(self, kind):
        with refuses("y must be None for a model without num_classes: leave it out"):
            kind((1, 4, 4), num_channels=2, num_layers=1).sample(2, 0)

    def test_calls(self, kind):
        model = kind((1, 4, 4), num_channels=2, num_layers=1)
        x = torch.zeros(2, 1, 4, 4)
        with refuses("n must be a whole number of at least 1, but is 0"):
            model.sample(0)
        with refuses("method must be one of 'cached', 'naive', but is 'fast'"):
            model.sample(1, method="fast")
        with refuses("x_scaled must be a tensor of shape (B, C, H, W)"):
            model.logits(torch.zeros(4, 4))
        with refuses("mask must be a boolean tensor, True where x is known, but is torch.float32"):
            model.complete(x, torch.ones(4, 4))
        with refuses("mask must be a boolean tensor, True where x is known, but is list"):
            model.complete(x, [True])
        with refuses("mask must have a shape that broadcasts to (2, 1, 4, 4), but has shape (3, 4)"):
            model.complete(x, torch.ones(3, 4, dtype=torch.bool))
        with refuses("x must be a tensor of shape (B, C, H, W)"):
            model.complete(x[0], torch.ones(4, 4, dtype=torch.bool))

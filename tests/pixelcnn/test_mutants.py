"""The classic mistakes in PixelCNNs, each made on purpose: every one must break a law."""

import pytest
import torch
from support.autoregressive_laws import all_images, assert_causal, assert_normalized, sub_pixels
from support.mutation import assert_broken, mutant

import vaeedu.pixelcnn


def make(pixelcnn, kind, image_shape, seed=0, **settings):
    torch.manual_seed(seed)
    model = getattr(pixelcnn, kind)(image_shape, **({"num_channels": 6, "num_layers": 3} | settings)).double()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_() if "label" in name else weight.mul_(2.0)  # what a label adds starts at zero
    return model


def mask_law(pixelcnn, kind):
    """A weight stays if its input comes before its output, or with mask B is of the same sub-pixel."""
    colors = pixelcnn.feature_colors(6, 3)
    for mask_type in ("A", "B"):
        mask = pixelcnn.causal_mask(mask_type, colors, colors, (3, 3))
        for o, i, a, b in torch.cartesian_prod(*(torch.arange(size) for size in mask.shape)).tolist():
            source, target = (a - 1, b - 1, i // 2), (0, 0, o // 2)
            assert mask[o, i, a, b] == float(source < target or (mask_type == "B" and source == target))


def normalization_law(pixelcnn, kind):
    assert_normalized(make(pixelcnn, kind, (1, 2, 3)))
    assert_normalized(make(pixelcnn, kind, (3, 1, 2)))
    mixture = pixelcnn.LogisticMixture(4, num_components=3)
    assert_normalized(make(pixelcnn, kind, (3, 1, 1), output=mixture), num_levels=4)


def order_law(pixelcnn, kind):
    for image_shape in ((1, 4, 4), (3, 2, 3)):
        model = make(pixelcnn, kind, image_shape)
        assert_causal(model, model.logits, sub_pixels(image_shape))


def reach_law(pixelcnn, kind):
    """Each layer sees what its kernel allows: three pixels back in the first one, one more in each of the others."""
    field = make(pixelcnn, kind, (1, 15, 15)).receptive_field((14, 7))[0] > 0
    assert field[14].tolist() == [2 <= column < 7 for column in range(15)]
    assert field[:, 7].tolist() == [9 <= row < 14 for row in range(15)]
    colors = make(pixelcnn, kind, (3, 3, 3))
    for c in range(3):
        assert (colors.receptive_field(channel=c)[:, 1, 1] > 0).tolist() == [d < c for d in range(3)]


def likelihood_law(pixelcnn, kind):
    """log p is the sum of the logs of what is predicted; a blind model takes a bit a pixel, for each image."""
    for output in (pixelcnn.BLACK_AND_WHITE, pixelcnn.Softmax(4), pixelcnn.LogisticMixture(4)):
        model = make(pixelcnn, kind, (2, 2, 2), output=output)
        x = torch.randint(model.num_levels, (5, 2, 2, 2), generator=torch.Generator().manual_seed(0))
        p = model.predictive(x).gather(1, x[:, None]).squeeze(1)
        torch.testing.assert_close(model.log_prob(x), p.log().sum(dim=(1, 2, 3)), rtol=1e-10, atol=1e-10)
    blind = make(pixelcnn, kind, (1, 2, 3))
    torch.nn.init.zeros_(blind.head[-1].weight)
    torch.nn.init.zeros_(blind.head[-1].bias)
    bits = blind.bits_per_dim(all_images((1, 2, 3))[:4])
    torch.testing.assert_close(bits, torch.ones(4, dtype=torch.float64))


def sampler_law(pixelcnn, kind):
    for settings in (
        {},
        {"output": pixelcnn.Softmax(4), "num_classes": 2},
        {"num_layers": 5, "shortcuts": kind != "PixelCNN"},
    ):
        settings = {name: value for name, value in settings.items() if value is not False}
        model = make(pixelcnn, kind, (3, 4, 3), **settings)
        y = torch.tensor([0, 1, 1]) if model.num_classes else None
        x = torch.randint(model.num_levels, (3, 3, 4, 3), generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            expected = model.logits(model.scale(x), y)
        torch.testing.assert_close(pixelcnn.incremental_logits(model, x, y), expected, rtol=1e-10, atol=1e-10)
        draws = [
            model.sample(3, y, method=method, generator=torch.Generator().manual_seed(2))
            for method in ("naive", "cached")
        ]
        assert torch.equal(*draws)


def frequency_law(pixelcnn, kind):
    model, n = make(pixelcnn, kind, (1, 1, 2), output=pixelcnn.Softmax(3)), 3000
    p = model.log_prob(all_images((1, 1, 2), 3)).exp().detach()
    drawn = model.sample(n, generator=torch.Generator().manual_seed(0)).flatten(1)
    counts = (drawn @ torch.tensor([3, 1])).bincount(minlength=9)
    assert ((counts / n - p).abs() <= 5 * (p * (1 - p) / n).sqrt()).all()
    binary = make(pixelcnn, kind, (1, 1, 1))
    p = binary.log_prob(torch.ones(1, 1, 1, 1)).exp().detach()
    share = binary.sample(n, generator=torch.Generator().manual_seed(0)).double().mean()
    assert bool((share - p).abs() <= 5 * (p * (1 - p) / n).sqrt())


LAWS = [mask_law, normalization_law, order_law, reach_law, likelihood_law, sampler_law, frequency_law]
BOTH = ("PixelCNN", "GatedPixelCNN")
GATED = ("GatedPixelCNN",)

# The mistake, the law that it must break (others may break too), the module, what is replaced by what, and the models.
MUTANTS = {
    "masks swapped": (order_law, "masks", 'if mask_type == "A" else', 'if mask_type == "B" else', BOTH),
    "mask A everywhere": (order_law, "masks", "else out_of <= into", "else out_of < into", BOTH),
    "mask B everywhere": (normalization_law, "masks", "(out_of < into if", "(out_of <= into if", BOTH),
    "the row below seen": (
        normalization_law,
        "masks",
        "mask[:, :, :row] = 1",
        "mask[:, :, : row + 2] = 1",
        BOTH[:1],
    ),
    "the pixel to the right seen": (
        normalization_law,
        "masks",
        ":column] = 1",
        ": column + 2] = 1",
        BOTH[:1],
    ),
    "colours in reverse": (normalization_law, "masks", "out_of <= into)", "out_of >= into)", BOTH),
    "colours dealt out in turn": (
        sampler_law,
        "masks",
        "torch.arange(each) * num_colors // each",
        "torch.arange(each) % num_colors",
        BOTH,
    ),
    "colours blind to each other": (mask_law, "masks", "else out_of <= into", "else out_of == into", BOTH),
    "mask forgotten": (
        normalization_law,
        "layers",
        "return self.weight * self.mask",
        "return self.weight",
        BOTH,
    ),
    "mask forgotten in the horizontal stack": (
        normalization_law,
        "layers",
        "(r, 0)), self.horizontal.weight * self.mask)",
        "(r, 0)), self.horizontal.weight)",
        GATED,
    ),
    "vertical stack leaks the current row": (
        normalization_law,
        "layers",
        "(r, r, r, -1 if self.first else 0)",
        "(r, r, r - self.first, 0)",
        GATED,
    ),
    "vertical stack leaks it in later layers": (
        normalization_law,
        "layers",
        "(r, r, r, -1 if self.first else 0)",
        "(r, r, r - (not self.first), -1 if self.first else 1)",
        GATED,
    ),
    "horizontal stack sees the pixel": (
        normalization_law,
        "layers",
        "functional.pad(h, (r, 0))",
        "functional.pad(h, (r - 1, 1))",
        GATED,
    ),
    "vertical stack not handed over": (
        reach_law,
        "layers",
        "left = left + self.across(above)",
        "left = left + 0 * self.across(above)",
        GATED,
    ),
    "mean for sum over pixels": (
        likelihood_law,
        "outputs",
        'levels, reduction="none").sum(',
        'levels, reduction="none").mean(',
        BOTH,
    ),
    "mean for sum over pixels, many levels": (
        likelihood_law,
        "outputs",
        'levels.long(), reduction="none").sum(dim=(1, 2, 3))',
        'levels.long(), reduction="none").mean(dim=(1, 2, 3))',
        BOTH,
    ),
    "mixture of products taken colour by colour": (
        likelihood_law,
        "logistic",
        "(log_weight + each.sum(dim=-2)).logsumexp(dim=-1).sum(dim=(1, 2))",
        "(log_weight[..., None, :] + each).logsumexp(dim=-1).sum(dim=(1, 2, 3))",
        BOTH,
    ),
    "tails dropped at the lowest level": (
        normalization_law,
        "logistic",
        "torch.where(lowest, below_top, torch",
        "torch.where(lowest, inner, torch",
        BOTH,
    ),
    "width dropped": (
        normalization_law,
        "logistic",
        "below_top + above_bottom + width",
        "below_top + above_bottom",
        BOTH,
    ),
    "bits without log 2": (
        likelihood_law,
        "core",
        "(math.prod(self.image_shape) * math.log(2))",
        "math.prod(self.image_shape)",
        BOTH,
    ),
    "bits per pixel": (
        likelihood_law,
        "core",
        "math.prod(self.image_shape) *",
        "math.prod(self.image_shape[:0]) *",
        BOTH,
    ),
    "levels by argmax": (
        frequency_law,
        "outputs",
        "invert_cumulative(parameters.softmax(dim=1), noise)",
        "parameters.argmax(dim=1).to(noise)",
        BOTH,
    ),
    "logits for probabilities in a draw": (frequency_law, "outputs", "return -u.logit()", "return u", BOTH),
    "the rows above not moved": (
        sampler_law,
        "fast.incremental",
        "self.above[:, :-1] = self.above[:, 1:].clone()",
        "pass",
        BOTH,
    ),
    "labels dropped by the sampler": (
        sampler_law,
        "fast.packing",
        "if embedding is None or y is None",
        "if True or y is None",
        BOTH,
    ),
}


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("law", LAWS)
def test_the_right_code_obeys(law, kind):
    law(vaeedu.pixelcnn, kind)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mistake_is_noticed(name):
    law, module, right, wrong, kinds = MUTANTS[name]
    with mutant("pixelcnn", module, right, wrong) as package:
        for kind in kinds:
            assert_broken(law, package, kind)

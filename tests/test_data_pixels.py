"""Binarisation has the right law and repeats when it says so; quantisation undoes division by the levels."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaeedu.data import binarize, digits, natural_patches, quantize

MODES = ("dynamic", "fixed", "threshold")
BAD_VALUES = [
    (torch.tensor([0, 1]), "x must be float32 or float64, but is torch.int64: use x.float()"),
    (np.zeros(2, dtype=np.uint8), "x must be float32 or float64, but is uint8: use x.astype('float32')"),
    (
        torch.tensor([0.0, 16.0]),
        "x must lie in [0, 1], but its entries range from 0.0 to 16.0: use x / 255 for bytes",
    ),
    (torch.tensor([-0.1, 1.0]), "x must lie in [0, 1], but its entries range from -0.1"),
    (torch.tensor([torch.nan]), "x must lie in [0, 1], but has NaN entries"),
    ([0.5], "x must be a torch.Tensor or numpy.ndarray, but is list"),
]


def greys(seed=0, shape=(40, 1, 8, 8)):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_binary_values_in_the_shape_and_dtype_of_the_input(mode, dtype):
    x = greys().to(dtype)
    before = x.clone()
    torch.manual_seed(1)  # the greys' own seed would draw the greys again
    b = binarize(x, mode)
    assert b.shape == x.shape
    assert b.dtype == dtype
    assert set(b.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(x, before)


@pytest.mark.parametrize("mode", MODES)
def test_black_and_white_stay_as_they_are(mode):
    x = (greys() > 0.5).float()
    assert torch.equal(binarize(x, mode), x)


@pytest.mark.parametrize("mode", ["dynamic", "fixed"])
@pytest.mark.parametrize("p", [0.02, 0.3, 0.5, 0.9])
def test_a_pixel_is_white_as_often_as_its_value_says(mode, p, generator):
    n = 100_000
    b = binarize(torch.full((n,), p).double(), mode, generator=generator if mode == "dynamic" else None)
    assert abs(b.mean().item() - p) <= 5 * math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("mode", ["dynamic", "fixed"])
@pytest.mark.parametrize("lag", [1, 8, 64])
def test_pixels_are_drawn_independently(mode, lag, generator):
    b = binarize(
        torch.full((100_000,), 0.5).double(), mode, generator=generator if mode == "dynamic" else None
    )
    both = (b[lag:] * b[:-lag]).mean().item()
    # Neighbouring products overlap: Var = p² + 2p³ − 3p⁴ over n, here 5/16.
    assert abs(both - 0.25) <= 5 * math.sqrt(5 / 16 / (len(b) - lag))


def test_dynamic_is_fresh_each_time_and_repeats_with_its_generator(generator):
    x = greys()
    assert not torch.equal(
        binarize(x, "dynamic", generator=generator), binarize(x, "dynamic", generator=generator)
    )
    first, again = (binarize(x, "dynamic", generator=torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first, again)


def test_fixed_is_the_same_at_every_call_whatever_the_global_seed():
    x = greys()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        first = binarize(x, "fixed")
        torch.manual_seed(2)
        assert torch.equal(binarize(x, "fixed"), first)


def test_fixed_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    binarize(greys(), "fixed")
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("view", ["float64", "transposed", "channels last", "strided", "array"])
def test_fixed_depends_on_shape_and_values_alone(view):
    x = greys(shape=(6, 3, 8, 8))
    same = {
        "float64": lambda: x.double(),
        "transposed": lambda: x.transpose(2, 3).contiguous().transpose(2, 3),
        "channels last": lambda: x.to(memory_format=torch.channels_last),
        "strided": lambda: torch.stack([x, x], dim=-1)[..., 0],
        "array": lambda: x.numpy(),
    }[view]()
    assert torch.equal(binarize(same, "fixed").float(), binarize(x, "fixed"))


def test_fixed_is_drawn_for_the_whole_set_and_not_image_by_image():
    x = greys()
    assert not torch.equal(binarize(x, "fixed")[20:], binarize(x[20:], "fixed"))


def test_threshold_is_strict():
    assert binarize(torch.tensor([0.4999, 0.5, 0.5001]), "threshold").tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("mode", ["fixed", "threshold"])
def test_a_generator_without_a_use_is_refused(mode, generator):
    words = (
        f"generator must be None with mode='{mode}', which draws nothing from it, but is a torch.Generator"
    )
    with pytest.raises(ValueError, match=words):
        binarize(greys(), mode, generator=generator)


def test_an_unknown_mode_is_refused():
    with pytest.raises(
        ValueError, match="mode must be one of 'dynamic', 'fixed', 'threshold', but is 'static'"
    ):
        binarize(greys(), "static")


def test_there_is_no_default_mode():
    with pytest.raises(TypeError, match="mode"):
        binarize(greys())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("x", "words"), BAD_VALUES)
def test_binarize_refuses_what_is_not_a_grey_value(x, words, mode):
    with pytest.raises(ValueError, match=re.escape(words)):
        binarize(x, mode)


@given(
    num_levels=st.integers(2, 2**16), dtype=st.sampled_from([torch.float32, torch.float64]), data=st.data()
)
def test_quantize_undoes_division_by_the_levels(num_levels, dtype, data):
    levels = torch.tensor(data.draw(st.lists(st.integers(0, num_levels - 1), min_size=1)))
    assert torch.equal(quantize(levels.to(dtype) / (num_levels - 1), num_levels), levels)


@pytest.mark.parametrize("num_levels", [2, 17, 256, 2**16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_quantize_undoes_division_for_every_level(num_levels, dtype):
    levels = torch.arange(num_levels)
    assert torch.equal(quantize(levels.to(dtype) / (num_levels - 1), num_levels), levels)


@given(x=st.floats(0, 1), num_levels=st.integers(2, 2**16))
def test_quantize_takes_the_nearest_level(x, num_levels):
    level = quantize(torch.tensor([x], dtype=torch.float64), num_levels).item()
    assert 0 <= level < num_levels
    assert abs(level - x * (num_levels - 1)) <= 0.5


def test_halfway_goes_to_the_even_level():
    assert quantize(torch.tensor([0.5, 0.125, 0.375]), 5).tolist() == [2, 0, 2]


def test_two_levels_are_the_threshold():
    x = torch.cat([greys().flatten(), torch.tensor([0.0, 0.5, 1.0])])
    assert torch.equal(quantize(x, 2), binarize(x, "threshold").long())


def test_levels_are_whole_numbers_of_the_same_shape():
    levels = quantize(greys().numpy(), 4)
    assert levels.dtype == torch.int64
    assert levels.shape == (40, 1, 8, 8)
    assert levels.unique().tolist() == [0, 1, 2, 3]


def test_digits_have_17_levels_exactly():
    images, _ = digits("all")
    levels = quantize(images, 17)
    assert torch.equal(levels.float() / 16, images)
    assert levels.unique().tolist() == list(range(17))


@pytest.mark.parametrize("color", [False, True])
def test_patches_have_256_levels_exactly(color, generator):
    patches, _ = natural_patches(num_patches=2000, color=color, generator=generator)
    assert torch.equal(quantize(patches, 256).float() / 255, patches)


@pytest.mark.parametrize(("x", "words"), BAD_VALUES)
def test_quantize_refuses_what_is_not_a_grey_value(x, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        quantize(x, 4)


@pytest.mark.parametrize(
    ("num_levels", "words"),
    [
        (0, "num_levels must be a whole number of at least 1, but is 0"),
        (1, "num_levels must be at least 2, but is 1: one level says nothing about x"),
        (65537, r"num_levels must be at most 65536 \(16 bits a pixel\), but is 65537"),
    ],
)
def test_quantize_refuses_a_useless_number_of_levels(num_levels, words):
    with pytest.raises(ValueError, match=words):
        quantize(greys(), num_levels)

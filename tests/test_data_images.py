"""The image sets are what their sources hold, cut into parts that share nothing."""

import gzip
import hashlib
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_sample_images

from vaeedu import data
from vaeedu.data import images as module
from vaeedu.data import mnist_files

PUBLISHED_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}


# ---- digits ----


@pytest.mark.parametrize(("split", "num_images"), [("train", 1498), ("test", 299), ("all", 1797)])
def test_digits_shapes(split, num_images):
    images, labels = data.digits(split)
    assert images.shape == (num_images, 1, 8, 8)
    assert images.dtype == torch.float32
    assert labels.shape == (num_images,)
    assert labels.dtype == torch.int64
    assert images.min() == 0
    assert images.max() == 1


def test_digits_are_those_of_scikit_learn():
    images, labels = data.digits("all")
    bunch = load_digits()
    assert np.array_equal(images.flatten(1).numpy() * 16, bunch.data)
    assert np.array_equal(labels.numpy(), bunch.target)


def test_every_sixth_digit_is_for_testing():
    (images, labels), (train, train_labels), (test, test_labels) = map(data.digits, ("all", "train", "test"))
    assert torch.equal(test, images[5::6])
    assert torch.equal(test_labels, labels[5::6])
    kept = [i for i in range(len(images)) if i % 6 != 5]
    assert torch.equal(train, images[kept])
    assert torch.equal(train_labels, labels[kept])


def test_train_is_the_default():
    assert torch.equal(data.digits()[0], data.digits("train")[0])


def test_both_parts_hold_the_classes_in_the_same_proportion():
    shares = [
        torch.bincount(data.digits(split)[1], minlength=10) / len(data.digits(split)[1])
        for split in ("train", "test")
    ]
    error = (shares[0] * (1 - shares[0]) / 299).sqrt()
    assert ((shares[1] - shares[0]).abs() <= 5 * error).all()


def test_digits_come_in_the_order_of_their_writers():
    """The reason for the split: equal digits are more alike where they are near each other in the file."""
    images, labels = data.digits("all")
    x, place = images.flatten(1).double(), torch.arange(len(labels))
    distance = torch.cdist(x, x).square()
    apart = (place[:, None] - place).abs()
    pair = (labels[:, None] == labels) & (apart > 0)
    assert distance[pair & (apart < 25)].mean() < 0.7 * distance[pair & (apart > 300)].mean()


def test_the_caller_owns_the_digits():
    first, _ = data.digits("test")
    first.zero_()
    assert data.digits("test")[0].max() == 1


@pytest.mark.parametrize("load", [data.digits, data.mnist])
def test_an_unknown_split_is_refused(load):
    with pytest.raises(ValueError, match="split must be one of 'train', 'test', 'all', but is 'validation'"):
        load("validation")


# ---- natural patches ----


def photographs():
    return torch.from_numpy(np.stack(load_sample_images().images)).permute(0, 3, 1, 2)


def places(patch, photograph):
    """The top left corners at which a colour patch occurs in a photograph; both bytes, `(3, H, W)`."""
    P = patch.shape[-1]
    windows = photograph.unfold(1, P, 1).unfold(2, P, 1)
    hits = (windows[:, :, :, 0, 0] == patch[:, 0, 0, None, None]).all(dim=0).nonzero()
    return [(int(r), int(c)) for r, c in hits if torch.equal(windows[:, r, c], patch)]


@pytest.mark.parametrize(("color", "channels"), [(False, 1), (True, 3)])
def test_patches_shapes(color, channels, generator):
    patches, labels = data.natural_patches(num_patches=50, patch_size=6, color=color, generator=generator)
    assert patches.shape == (50, channels, 6, 6)
    assert patches.dtype == torch.float32
    assert 0 <= patches.min() < patches.max() <= 1
    assert labels is None


def test_patches_defaults(generator):
    patches, _ = data.natural_patches(generator=generator)
    assert patches.shape == (10_000, 1, 8, 8)


@pytest.mark.parametrize(("split", "columns"), [("train", range(480 - 11)), ("test", range(480, 640 - 11))])
def test_patches_are_cut_out_of_their_own_part_of_both_photographs(split, columns, generator):
    patches, _ = data.natural_patches(split, num_patches=40, patch_size=12, color=True, generator=generator)
    found_in = set()
    for patch in (patches * 255).round().byte():
        corners = [(i, c) for i, photograph in enumerate(photographs()) for _, c in places(patch, photograph)]
        assert any(c in columns for _, c in corners)
        found_in |= {i for i, c in corners if c in columns}
    assert found_in == {0, 1}


@pytest.mark.parametrize(("split", "first", "last"), [("train", 0, 479), ("test", 480, 639)])
def test_patches_reach_every_edge_of_their_part_and_no_further(split, first, last, monkeypatch, generator):
    """On a picture whose pixels tell their own column, the patches' values are the columns that they touch."""
    columns = torch.arange(640).expand(2, 1, 427, 640)
    rows = torch.arange(427)[:, None].expand(2, 1, 427, 640)
    for picture, expected in ((columns, (first, last)), (rows, (0, 426))):
        monkeypatch.setattr(module, "_photographs", lambda color, picture=picture: picture)
        patches, _ = data.natural_patches(split, num_patches=20_000, generator=generator)
        levels = (patches * 255).round()
        assert (levels.min(), levels.max()) == expected


def test_grey_is_the_luminance_of_the_colours():
    grey, color = (
        data.natural_patches(num_patches=200, color=c, generator=torch.Generator().manual_seed(0))[0]
        for c in (False, True)
    )
    luminance = (color * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=1, keepdim=True)
    assert (grey - luminance).abs().max() <= 1.01 / 255


def test_patches_repeat_with_their_generator():
    first, again, other = (
        data.natural_patches(num_patches=9, generator=torch.Generator().manual_seed(seed))[0]
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.gpu
def test_fixed_binarisation_is_the_same_on_every_device(generator):
    x = torch.rand(40, 1, 8, 8, generator=generator)
    on_gpu = data.binarize(x.cuda(), "fixed")
    assert on_gpu.is_cuda
    assert torch.equal(on_gpu.cpu(), data.binarize(x, "fixed"))


@pytest.mark.gpu
def test_patches_can_be_placed_by_a_generator_on_a_gpu():
    patches, _ = data.natural_patches(num_patches=9, generator=torch.Generator("cuda").manual_seed(1))
    assert patches.shape == (9, 1, 8, 8)


def test_the_largest_patch_is_as_wide_as_the_test_part():
    assert data.natural_patches("test", num_patches=2, patch_size=160)[0].shape == (2, 1, 160, 160)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"split": "all"}, "split must be one of 'train', 'test', but is 'all'"),
        ({"num_patches": 0}, "num_patches must be a whole number of at least 1, but is 0"),
        ({"patch_size": 0}, "patch_size must be a whole number of at least 1, but is 0"),
        ({"patch_size": 161}, "patch_size must be at most 160 (the width of the test part), but is 161"),
    ],
)
def test_patches_refuse(arguments, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        data.natural_patches(**arguments)


# ---- the IDX format ----


def idx(array):
    array = np.asarray(array, dtype=np.uint8)
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("shape", [(5,), (300,), (2, 3, 4), (300, 2, 1)])
def test_idx_files_are_read_back(shape):
    array = np.random.default_rng(0).integers(0, 256, shape)
    assert np.array_equal(mnist_files._parse_idx("a.gz", idx(array), 0x0800 + len(shape)), array)


def test_labels_in_place_of_images_are_refused():
    words = "a.gz must be an IDX file that begins with 0x0803, but begins with 0x0801: check that images and labels"
    with pytest.raises(ValueError, match=words):
        mnist_files._parse_idx("a.gz", idx(np.zeros(5)), 0x0803)


@pytest.mark.parametrize("length", [4, 10, 16, 39, 41])
def test_an_incomplete_idx_file_is_refused(length):
    content = (idx(np.zeros((2, 3, 4))) + b"surplus")[:length]
    with pytest.raises(
        ValueError, match=rf"a.gz must have \d+ bytes for its shape .*, but has {length}: the file is inc"
    ):
        mnist_files._parse_idx("a.gz", content, 0x0803)


# ---- the small MNIST ----


@pytest.fixture
def no_full_mnist(monkeypatch):
    monkeypatch.setattr(mnist_files, "mnist_at_hand", lambda: False)


@pytest.mark.parametrize(("split", "num_images"), [("train", 10_000), ("test", 2_000), ("all", 12_000)])
def test_the_small_mnist_comes_with_the_course(split, num_images, no_full_mnist):
    images, labels = small = data.mnist(split)
    assert images.shape == (num_images, 1, 28, 28)
    assert images.dtype == torch.float32
    assert labels.shape == (num_images,)
    assert labels.dtype == torch.int64
    assert small.images is images
    assert small.labels is labels
    assert not small.is_full
    assert torch.equal(data.quantize(images, 256).float().div_(255), images)
    assert labels.bincount(minlength=10).min() > 0.08 * num_images


def test_the_full_mnist_cannot_be_had_where_it_is_not(no_full_mnist):
    words = r"full must be False or None, because the full MNIST is not at hand: call fetch_mnist\(\) first"
    with pytest.raises(ValueError, match=words):
        data.mnist(full=True)


@pytest.mark.data
def test_the_small_mnist_can_be_had_where_the_full_one_is():
    assert not data.mnist("test", full=False).is_full
    assert len(data.mnist("test", full=False).images) == 2_000
    assert data.mnist("test", full=True).is_full


def test_all_of_the_small_mnist_is_train_then_test(no_full_mnist):
    train, test, together = map(data.mnist, ("train", "test", "all"))
    assert torch.equal(together.images, torch.cat([train.images, test.images]))
    assert torch.equal(together.labels, torch.cat([train.labels, test.labels]))


@pytest.mark.data
def test_the_small_mnist_is_as_published(no_full_mnist):
    small = data.mnist("train"), data.mnist("test")
    (images, labels), (test_images, test_labels) = map(mnist_files._read_published, ("train", "test"))
    test = [*range(1_000), *range(5_000, 6_000)]
    for part, published, published_labels in (
        (small[0], images[:10_000], labels[:10_000]),
        (small[1], test_images[test], test_labels[test]),
    ):
        assert np.array_equal(data.quantize(part.images, 256)[:, 0].numpy(), published)
        assert np.array_equal(part.labels.numpy(), published_labels)


@pytest.mark.data
def test_the_first_half_of_the_test_set_is_the_easier_one():
    """The reason for taking test images from both halves: the nearest of 5 000 training images errs twice as often."""
    (x, y), (x_test, y_test) = data.mnist(), data.mnist("test")
    nearest = torch.cat(
        [torch.cdist(part, x[:5_000].flatten(1)).argmin(dim=1) for part in x_test.flatten(1).split(1_000)]
    )
    wrong = (y[nearest] != y_test).double()
    assert wrong[5_000:].mean() < 0.7 * wrong[:5_000].mean()


def test_the_file_of_the_small_mnist_is_small():
    assert mnist_files._SMALL.stat().st_size < 2_000_000
    assert "CC-BY-SA-3.0" in mnist_files._SMALL.with_suffix(".md").read_text("utf-8")


# ---- the real files ----


@pytest.mark.data
@pytest.mark.parametrize("name", PUBLISHED_MD5)
def test_the_sha256_belong_to_the_files_with_the_published_md5(name):
    content = (Path(os.environ["VAEEDU_DATA"]) / "mnist" / name).read_bytes()
    assert hashlib.md5(content).hexdigest() == PUBLISHED_MD5[name]
    assert hashlib.sha256(content).hexdigest() == mnist_files._PUBLISHED.sha256[name]


@pytest.mark.data
def test_mnist():
    train, train_labels = data.mnist()
    test, test_labels = data.mnist("test")
    assert data.mnist().is_full
    assert train.shape == (60_000, 1, 28, 28)
    assert test.shape == (10_000, 1, 28, 28)
    assert train.dtype == test.dtype == torch.float32
    assert train_labels.dtype == test_labels.dtype == torch.int64
    # The counts that everyone who has used the set knows.
    assert train_labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert round(train.double().mean().item(), 4) == 0.1307
    assert round(train.double().std().item(), 4) == 0.3081
    levels = data.quantize(train, 256)
    assert torch.equal(levels.float().div_(255), train)
    assert levels.flatten().bincount().count_nonzero() == 256


@pytest.mark.data
def test_all_of_mnist_is_train_then_test():
    images, labels = data.mnist("all")
    assert labels.shape == (70_000,)
    assert torch.equal(images[60_000:], data.mnist("test")[0])
    assert torch.equal(labels[60_000:], data.mnist("test")[1])
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]


@pytest.mark.data
def test_an_image_stands_upright_on_black_paper():
    """A row-major 1 is a tall stroke: taller than wide, and the corners of the paper stay empty."""
    images, labels = data.mnist("test")
    ones = images[labels == 1][:, 0]
    height, width = (ones.amax(dim=d).gt(0.5).sum(dim=1).double().mean() for d in (2, 1))
    assert height > 1.5 * width
    assert ones[:, 0, 0].max() == 0


def test_gzip_of_a_published_file_is_read(monkeypatch):
    content = gzip.compress(idx(np.arange(24).reshape(2, 3, 4)))
    monkeypatch.setattr(mnist_files.download, "read", lambda files, name: content)
    assert mnist_files._read_idx("a.gz", 0x0803)[1, 2].tolist() == [20, 21, 22, 23]

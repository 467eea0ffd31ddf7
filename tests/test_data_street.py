"""Generated street-number-like images: repeatable, in range, and about the digit in the middle."""

import numpy as np
import pytest
import torch
from scipy.io import savemat

from vaeedu import data
from vaeedu.sampling import seeded


def test_shapes_ranges_and_repetition():
    images, labels = data.street_numbers(num_images=30, generator=seeded(0))
    assert (images.shape, images.dtype, labels.shape, labels.dtype) == (
        (30, 3, 32, 32), torch.float32, (30,), torch.int64,
    )  # fmt: skip
    assert 0 <= float(images.min()) < float(images.max()) <= 1
    again, same = data.street_numbers(num_images=30, generator=seeded(0))
    assert torch.equal(images, again)
    assert torch.equal(labels, same)
    other, _ = data.street_numbers("test", num_images=30, size=16, generator=seeded(0))
    assert other.shape == (30, 3, 16, 16)
    assert float((other[:, 0] - other[:, 2]).abs().mean()) > 0.02  # coloured


def test_the_label_is_the_digit_in_the_middle():
    """The ink's mean shape differs between labels in the middle columns, and hardly at the sides."""
    images, labels = data.street_numbers(num_images=1500, generator=seeded(1))
    contrast = (images - images.mean(dim=(1, 2, 3), keepdim=True)).abs().mean(dim=1)
    classes = torch.stack([contrast[labels == c].mean(dim=0) for c in range(10)])
    spread = classes.std(dim=0).mean(dim=0)  # over classes, for each column
    assert float(spread[10:22].mean()) > 1.5 * float(torch.cat([spread[:4], spread[-4:]]).mean())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "all"}, "split must be one of"),
        ({"num_images": 0}, "num_images must be a whole number of at least 1"),
        ({"size": 15}, "size must be at least 16, for a digit to be legible, but is 15"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        data.street_numbers(**settings)


def test_the_real_ones_are_read_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEEDU_DATA", str(tmp_path))
    assert not data.svhn_at_hand()
    with pytest.raises(ValueError, match=r"test_32x32\.mat is not in"):
        data.svhn("test")
    (tmp_path / "svhn").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
    for split in ("train", "test"):
        savemat(tmp_path / "svhn" / f"{split}_32x32.mat", {"X": pixels, "y": np.array([[10], [1], [9], [3]])})
    assert data.svhn_at_hand()
    images, labels = data.svhn("test")
    assert labels.tolist() == [0, 1, 9, 3]
    assert float(images[2, 1, 5, 7]) == pytest.approx(pixels[5, 7, 1, 2] / 255)

"""Makes vaeedu/data/small_mnist.npz from the published files of MNIST, which must be at hand.

The first 10 000 training images, and the first 1 000 of each half of the test set.
"""

import sys
from pathlib import Path

import numpy as np

from vaeedu.data import mnist_files

NUM_TRAIN, NUM_TEST = 10_000, 1_000


def small() -> dict[str, np.ndarray]:
    """Returns the arrays of the small set, bytes as published."""
    (images, labels), (test_images, test_labels) = map(mnist_files._read_published, ("train", "test"))
    half = len(test_images) // 2
    test = np.r_[:NUM_TEST, half : half + NUM_TEST]
    return {
        "train_images": images[:NUM_TRAIN],
        "train_labels": labels[:NUM_TRAIN],
        "test_images": test_images[test],
        "test_labels": test_labels[test],
    }


if __name__ == "__main__":
    if not mnist_files.mnist_at_hand():
        sys.exit("no MNIST files: set VAEEDU_DATA to the folder above mnist/")
    target = Path(mnist_files.__file__).with_name("small_mnist.npz")
    np.savez_compressed(target, **small())
    print(f"{target.name}: {target.stat().st_size} bytes")

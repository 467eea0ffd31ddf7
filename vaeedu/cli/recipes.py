"""Recipes of `vaeedu train`: a model of the literature, and a schedule that trains it, under one name.

A recipe says what an option is where the command line does not: each of its options can still be given.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Recipe(NamedTuple):
    """What to do, and in words for `--help`."""

    described: str
    options: Mapping[str, Any]


BURDA = Recipe(
    "the VAE 784-200-200-50 of Burda et al. (2016) on MNIST, with a schedule for a laptop",
    {
        "data": "mnist",
        "binarize": "dynamic",
        "architecture": "mlp",
        "hidden": [200, 200],
        "latents": 50,
        "begin_at_mean": True,
        "batch_size": 512,
        "lr": 5e-3,
        "optimizer": "muon",
        "schedule": "cosine",
        "epochs": 400,
        "held_out": 6000,
        "patience": 40,
        "precision": "bfloat16",
    },
)
"""Importance weighted autoencoders, section 5. Their own schedule is 3280 epochs of batches of 20, at eight rates from
0.001 down to 0.0001, with the epochs a rate growing threefold. What this one reaches, beside theirs, is what
`benchmarks/vae_burda.py` measures."""

"""What `vaeedu train` and `vaeedu evaluate` have to know of each kind of model.

To add a kind: a class with these methods, and a line in `KINDS`. Everything else, data, training, resuming and
writing results, is the same for all. Modules and tensors are `Any` here: torch is imported only when it is needed.
"""

import argparse
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from vaeedu.cli.recipes import BURDA, Recipe


class Kind(ABC):
    """One kind of model.

    Attributes:
        help: What it is.
        standard: Its own options where the command line and the recipe say nothing.
        recipes: By name.
    """

    help: str
    standard: ClassVar[Mapping[str, Any]]
    recipes: ClassVar[Mapping[str, Recipe]] = {}

    @abstractmethod
    def add_options(self, parser: argparse._ActionsContainer) -> None:
        """Adds the options that shape such a model."""

    @abstractmethod
    def settings(self, options: argparse.Namespace) -> dict[str, Any]:
        """Returns what of the options decides the model, as plain values."""

    @abstractmethod
    def build(self, settings: dict[str, Any], image_shape: Sequence[int], mean_image: Any = None) -> Any:
        """Makes the model, from torch's global generator; the mean training image is for those that begin there."""

    @abstractmethod
    def loss(self, model: Any, settings: dict[str, Any]) -> Callable[..., Any]:
        """Returns the loss for `fit`."""

    @abstractmethod
    def scores(self, model: Any, x: Any, num_samples: int, generator: Any) -> dict[str, Any]:
        """Returns the scores of some images, each `(B,)`, in nats."""


class VariationalAutoencoder(Kind):
    """A VAE with a Bernoulli likelihood, trained on its ELBO or its importance weighted bound."""

    help = "a variational autoencoder"
    standard: ClassVar = {
        "latents": 20,
        "architecture": "mlp",
        "hidden": None,
        "channels": None,
        "importance_samples": 1,
        "begin_at_mean": False,
    }
    recipes: ClassVar = {"burda": BURDA}

    def add_options(self, parser: argparse._ActionsContainer) -> None:
        """Adds the sizes."""
        parser.add_argument("--latents", type=int, metavar="K", help="latent dimensions (default: 20)")
        parser.add_argument(
            "--importance-samples",
            type=int,
            metavar="K",
            help="train on the bound L_K of Burda et al. (default: 1, the ELBO)",
        )
        parser.add_argument(
            "--architecture",
            choices=("mlp", "conv"),
            help="dense layers, or four convolutions down and up (default: mlp)",
        )
        parser.add_argument(
            "--hidden",
            type=int,
            nargs="+",
            metavar="UNITS",
            help="mlp: the encoder's hidden layers (default: 400)",
        )
        parser.add_argument(
            "--channels", type=int, metavar="C", help="conv: channels at full size (default: 32)"
        )
        parser.add_argument(
            "--begin-at-mean",
            action=argparse.BooleanOptionalAction,
            help="mlp: whether the decoder begins at the mean training image, and not at grey (default: no)",
        )

    def settings(self, options: argparse.Namespace) -> dict[str, Any]:
        """Returns the sizes, and the objective's samples."""
        from vaeedu import require

        dense = options.architecture == "mlp"
        name, needed = ("channels", "conv") if dense else ("hidden", "mlp")
        if (given := getattr(options, name)) is not None:
            raise ValueError(
                f"--{name} must be left out with --architecture {options.architecture}, but is {given}: "
                f"it belongs to --architecture {needed}"
            )
        if options.begin_at_mean and not dense:
            raise ValueError(
                "--begin-at-mean must be left out with --architecture conv: it belongs to --architecture mlp"
            )
        size = {"hidden": options.hidden or [400]} if dense else {"channels": options.channels or 32}
        k = require.positive_int("--importance-samples", options.importance_samples)
        return {
            "architecture": options.architecture,
            "latents": options.latents,
            **size,
            # None as a run of a version without the option has it.
            "importance_samples": None if k == 1 else k,
            "begin_at_mean": options.begin_at_mean or None,
        }

    def build(self, settings: dict[str, Any], image_shape: Sequence[int], mean_image: Any = None) -> Any:
        """Makes it."""
        from vaeedu.vae import conv_vae, mlp_vae

        K = settings["latents"]
        if settings["architecture"] == "conv":
            return conv_vae(image_shape, num_latents=K, num_channels=settings["channels"])
        begin = mean_image if settings.get("begin_at_mean") else None
        return mlp_vae(image_shape, num_latents=K, num_hidden=settings["hidden"], mean_image=begin)

    def loss(self, model: Any, settings: dict[str, Any]) -> Callable[..., Any]:
        """Returns the mean negative ELBO, or importance weighted bound."""
        if k := settings.get("importance_samples"):
            return lambda x, *, generator: -model.iwae_bound(x, num_samples=k, generator=generator).mean()
        return lambda x, *, generator: -model.elbo(x, generator=generator).mean()

    def scores(self, model: Any, x: Any, num_samples: int, generator: Any) -> dict[str, Any]:
        """Returns the ELBO, from one sample an image, and −L of `num_samples`."""
        bound = model.iwae_bound(x, num_samples=num_samples, generator=generator)
        return {
            "elbo": model.elbo(x, generator=generator),
            f"minus_iwae_bound_{num_samples}": -bound,
        }


class GatedPixelNetwork(Kind):
    """A gated PixelCNN of black and white images, trained on its exact likelihood."""

    help = "a gated PixelCNN"
    standard: ClassVar = {"layers": 6, "channels": 32}

    def add_options(self, parser: argparse._ActionsContainer) -> None:
        """Adds the sizes."""
        parser.add_argument("--layers", type=int, metavar="L", help="layers (default: 6)")
        parser.add_argument("--channels", type=int, metavar="C", help="features of each stack (default: 32)")

    def settings(self, options: argparse.Namespace) -> dict[str, Any]:
        """Returns the sizes."""
        return {"layers": options.layers, "channels": options.channels}

    def build(self, settings: dict[str, Any], image_shape: Sequence[int], mean_image: Any = None) -> Any:
        """Makes it."""
        from vaeedu.pixelcnn import GatedPixelCNN

        return GatedPixelCNN(image_shape, num_channels=settings["channels"], num_layers=settings["layers"])

    def loss(self, model: Any, settings: dict[str, Any]) -> Callable[..., Any]:
        """Returns the mean negative log-likelihood."""
        return lambda x, *, generator: -model.log_prob(x).mean()

    def scores(self, model: Any, x: Any, num_samples: int, generator: Any) -> dict[str, Any]:
        """Returns −log p(x), which is exact: no samples are taken."""
        return {"minus_log_prob": -model.log_prob(x)}


KINDS: dict[str, Kind] = {"pixelcnn": GatedPixelNetwork(), "vae": VariationalAutoencoder()}

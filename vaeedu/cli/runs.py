"""What training and evaluating a run share: its images, and its model as it begins."""

from typing import Any

from vaeedu.cli.models import Kind


def images(name: str, split: str) -> Any:
    """Returns grey images, `(N, 1, H, W)`.

    Raises:
        ConnectionError: They are not at hand, and cannot be fetched.
    """
    from vaeedu import data

    if name == "digits":
        return data.digits(split)[0]
    if name == "mnist" and not data.mnist_at_hand():
        try:
            data.fetch_mnist()
        except ConnectionError as error:
            raise ConnectionError(f"use --data small-mnist, which is there already; or, {error}") from error
    return data.mnist(split, full=name == "mnist").images


def build(kind: Kind, settings: dict[str, Any], image_shape: Any, mean_image: Any = None) -> tuple[Any, Any]:
    """Returns the model with its first weights, and the generator of its training."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings["seed"])
        model = kind.build(settings, tuple(image_shape), mean_image)
        # Not the same seed once more: noise and order would be made of the very numbers that made the weights.
        return model, torch.Generator().manual_seed(int(torch.randint(2**62, ())))

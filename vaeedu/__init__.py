"""vaeedu: deep generative models, from PCA to VAEs and PixelCNN, that you run before you believe.

`import vaeedu` is lazy (PEP 562): a submodule, and whatever it needs, is imported when it is first used.

    >>> import vaeedu
    >>> vaeedu.__version__
    '0.1.0'
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_MODULES = frozenset(
    {
        "audio",
        "autoencoders",
        "autoregressive",
        "boltzmann",
        "bounds",
        "classifiers",
        "data",
        "diffusion",
        "directions",
        "disentanglement",
        "divergences",
        "environment",
        "feedback",
        "flows",
        "gan",
        "gradients",
        "inference",
        "metrics",
        "networks",
        "outliers",
        "pca",
        "pixelcnn",
        "plotting",
        "require",
        "sampling",
        "semisupervised",
        "sequences",
        "training",
        "vae",
        "wavenet",
        "way",
        "widgets",
    }
)
_FUNCTIONS = {
    "check": "vaeedu.feedback.examine",
    "hint": "vaeedu.feedback.hints",
    "solution": "vaeedu.feedback.hints",
}

__all__ = ["__version__", *sorted(_FUNCTIONS), *sorted(_MODULES)]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"vaeedu.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)
    raise AttributeError(f"module 'vaeedu' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

"""In which precision a device computes."""

import contextlib
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch

from vaeedu import require

PRECISIONS = ("float32", "bfloat16")


def usable_precision(precision: str, device: torch.device) -> str:
    """Returns the precision in which the loss is computed there.

    Where the device does not compute in bfloat16 itself, that is float32, after a warning: emulated, bfloat16 takes
    several times as long.

    Raises:
        ValueError: `precision` is unknown.
    """
    require.choice("precision", precision, PRECISIONS)
    if precision == "bfloat16" and not has_bfloat16(device):
        warnings.warn(f"{device} has no bfloat16 arithmetic of its own: training in float32", stacklevel=3)
        return "float32"
    return precision


def autocast(precision: str, device: torch.device) -> Callable[[], AbstractContextManager[Any]]:
    """Returns a function that makes the context for the forward pass: bfloat16 autocast, or nothing."""
    if precision == "bfloat16":
        return lambda: torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext


def has_bfloat16(device: torch.device) -> bool:
    """Whether autocast to bfloat16 works on the device, and by its own instructions."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu" and not _cpu_multiplies_bfloat16():
        return False
    try:
        a = torch.ones(2, 2, device=device, requires_grad=True)
        with warnings.catch_warnings(), torch.autocast(device.type, dtype=torch.bfloat16):
            warnings.simplefilter("error")
            product = a @ a
        product.float().sum().backward()
    except (RuntimeError, UserWarning):
        return False
    return product.dtype == torch.bfloat16


def _cpu_multiplies_bfloat16() -> bool:
    """Whether this processor has the instructions; where torch cannot tell, it is taken to have them."""
    if not torch.backends.mkldnn.is_available():
        return True
    # torch has no public name for it.
    ask = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    return bool(ask())

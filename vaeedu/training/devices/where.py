"""Where a run computes and draws."""

import torch
from torch import nn


def default_device() -> torch.device:
    """Returns the first CUDA device, or the CPU where there is none.

    Apple's `mps` is never chosen unasked: it has no float64, and is slower than the CPU on models as small as these.

    >>> default_device().type in ("cuda", "cpu")
    True
    """
    return (
        torch.device("cuda", torch.cuda.current_device())
        if torch.cuda.is_available()
        else torch.device("cpu")
    )


def resolve(device: object, model: nn.Module) -> torch.device:
    """Returns the device that `fit` shall use: the one asked for, or with "auto" the model's, or the default.

    Raises:
        ValueError: There is no such device on this machine.
    """
    if device == "auto":
        at = next((p.device for p in model.parameters()), torch.device("cpu"))
        return at if at.type != "cpu" else default_device()
    try:
        found = torch.device(device)  # type: ignore[call-overload]
        torch.empty(0, device=found)
    except (RuntimeError, TypeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device must name a device of this machine, but is {device!r} ({reason}): use device='auto' or 'cpu'"
        ) from None
    if found.type == "cuda" and found.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return found


def own_generator(generator: torch.Generator | None, device: torch.device) -> torch.Generator:
    """Returns a generator on the device: the one given, or a new one that it (or the global one) seeds."""
    if generator is not None and generator.device.type == device.type:
        return generator
    source = torch.device("cpu") if generator is None else generator.device
    seed = torch.randint(2**62, (1,), generator=generator, device=source)
    return torch.Generator(device).manual_seed(int(seed))

"""A loss and its gradient: in pieces, in bfloat16 and compiled, where that was asked for."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaeedu import require
from vaeedu.training import devices
from vaeedu.training.task import Task


class Arithmetic(NamedTuple):
    """How a loss is computed; the attributes are options of `fit`."""

    precision: str
    compile: bool
    microbatch_size: int | None

    def on(self, device: torch.device, model: nn.Module) -> "Arithmetic":
        """Returns what is used there: bfloat16 where the device has it, and on a CPU pieces as the model wishes.

        Raises:
            ValueError: `precision` or `microbatch_size` is not as described.
        """
        size = self.microbatch_size
        if size is not None:
            require.positive_int("microbatch_size", size)
        elif device.type == "cpu":  # a GPU holds on to its memory, and is the slower for small pieces
            size = getattr(model, "microbatch_size", None)
        # A checkpoint is of the precision that was computed in, not of the one that was asked for.
        return self._replace(precision=devices.usable_precision(self.precision, device), microbatch_size=size)


class Objective:
    """The loss of a task, as it is computed on a device."""

    def __init__(self, task: Task, how: Arithmetic, device: torch.device) -> None:
        self._task, self._microbatch_size = task, how.microbatch_size
        self._autocast = devices.autocast(how.precision, device)
        self._compiled = _compiled(task.loss) if how.compile else None

    def backward(self, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """Returns the batch's loss, and adds its gradient to the parameters'."""
        if self._compiled is None:
            return self._in_pieces(self._task.loss, batch, generator)
        before = generator.get_state()
        try:
            return self._in_pieces(self._compiled, batch, generator)
        except Exception as error:  # whatever goes wrong in there, what counts is whether it works without
            self._compiled = None
            generator.set_state(before)
            self._task.optimizer.zero_grad(set_to_none=True)
            loss = self._in_pieces(self._task.loss, batch, generator)
            reason = next(iter(str(error).strip().splitlines()), "no reason given")
            warnings.warn(
                f"torch.compile failed ({type(error).__name__}: {reason[:200]}): going on without it",
                stacklevel=4,
            )
            return loss

    def _in_pieces(
        self, loss: Callable[..., Tensor], batch: tuple[Tensor, ...], generator: torch.Generator
    ) -> Tensor:
        """Adds up the pieces' losses and gradients, weighted by their sizes; each draws where the last left off."""
        B = len(batch[0])
        if self._microbatch_size is None or self._microbatch_size >= B:
            return self._whole(loss, batch, generator, 1.0)
        pieces = zip(*(rows.split(self._microbatch_size) for rows in batch), strict=True)
        return torch.stack([self._whole(loss, piece, generator, len(piece[0]) / B) for piece in pieces]).sum()

    def _whole(
        self,
        loss: Callable[..., Tensor],
        batch: tuple[Tensor, ...],
        generator: torch.Generator,
        weight: float,
    ) -> Tensor:
        with self._autocast():
            value = loss(*batch, generator=generator)
        _check(value)
        if weight != 1.0:
            value = value * weight
        value.backward()
        return value.detach()


def _compiled(loss: Callable[..., Tensor]) -> Callable[..., Tensor] | None:
    try:
        return torch.compile(loss)
    except RuntimeError as error:
        warnings.warn(f"torch.compile is not available ({error}): going on without it", stacklevel=4)
        return None


def _check(value: object) -> None:
    if not isinstance(value, Tensor) or value.ndim != 0:
        found = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"type {type(value).__name__}"
        raise ValueError(
            f"loss must return the batch mean, a scalar tensor, but it has {found}: end it with .mean()"
        )
    if not value.requires_grad:
        raise ValueError(
            "loss must depend on the model's parameters, but carries no gradient: "
            "compute it from the model, outside torch.no_grad()"
        )

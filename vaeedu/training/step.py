"""One step of training: a batch, its loss, the gradient, the update."""

import math
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from vaeedu import sampling
from vaeedu.training.batches import as_batch, take
from vaeedu.training.distributed import Part, Team


class Step:
    """Makes training steps: call it with the indices of a batch.

    Attributes:
        clips: Whether gradients are clipped.
    """

    def __init__(
        self,
        data: tuple[Tensor, ...],
        loss: Callable[..., Tensor],
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        generator: torch.Generator,
        *,
        transform: Callable[..., Any] | None,
        max_grad_norm: float | None,
        autocast: Callable[[], AbstractContextManager[Any]],
        compile: bool,
        team: Team,
        microbatch_size: int | None = None,
    ) -> None:
        self._data, self._loss, self._transform = data, loss, transform
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._optimizer, self._generator = optimizer, generator
        self._max_norm, self.clips = max_grad_norm, max_grad_norm is not None
        self._autocast, self._team, self._microbatch_size = autocast, team, microbatch_size
        self._compiled = _compiled(loss) if compile else None

    def __call__(self, index: Tensor, record: Tensor, *, stop: bool = False) -> None:
        """Updates the weights by one batch.

        Args:
            index: Which examples the whole team's batch holds, `(B,)`.
            record: Where to write the loss, the gradient's norm, and how many processes want to stop, `(3,)`.
            stop: Whether this one does.
        """
        part = self._team.part(len(index))
        with self._team.shard(part):
            batch = take(self._data, index[part.start : part.stop])
            if self._transform is not None:
                batch = as_batch(self._transform(*batch, generator=self._generator))
            value = self._gradient(batch, part)
        if self._team.size > 1:
            value, record[2] = self._team.add_up(self._parameters, part.weight, value, stop)
        record[0] = value
        if self._max_norm is not None:
            record[1] = nn.utils.clip_grad_norm_(self._parameters, self._max_norm)
        self._optimizer.step()

    def _gradient(self, batch: tuple[Tensor, ...], part: Part) -> Tensor:
        """Returns the loss, with its gradient in the parameters."""
        if self._compiled is None:
            return self._backward(self._loss, batch, part)
        before = self._generator.get_state()
        try:
            return self._backward(self._compiled, batch, part)
        except Exception as error:  # whatever goes wrong in there, what counts is whether it works without
            self._compiled = None
            self._generator.set_state(before)
            value = self._backward(self._loss, batch, part)
            reason = next(iter(str(error).strip().splitlines()), "no reason given")
            warnings.warn(
                f"torch.compile failed ({type(error).__name__}: {reason[:200]}): going on without it",
                stacklevel=4,
            )
            return value

    def _backward(self, loss: Callable[..., Tensor], batch: tuple[Tensor, ...], part: Part) -> Tensor:
        self._optimizer.zero_grad(set_to_none=True)
        B = len(batch[0])
        if self._microbatch_size is None or self._microbatch_size >= B:
            return self._loss_and_gradient(loss, batch, 1.0)
        before, total = self._generator.get_state(), torch.zeros((), device=batch[0].device)
        for start in range(0, B, self._microbatch_size):
            stop = min(start + self._microbatch_size, B)
            # Each piece draws the whole batch's noise again, and takes its own: the pieces add up to the whole.
            self._generator.set_state(before)
            with sampling.shard(part.start + start, part.start + stop, part.total):
                piece = tuple(rows[start:stop] for rows in batch)
                total = total + self._loss_and_gradient(loss, piece, (stop - start) / B)
        return total

    def _loss_and_gradient(
        self, loss: Callable[..., Tensor], batch: tuple[Tensor, ...], weight: float
    ) -> Tensor:
        """Returns the weighted loss, and adds its gradient to the parameters'."""
        with self._autocast():
            value = loss(*batch, generator=self._generator)
        _check_loss(value)
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


def _check_loss(value: object) -> None:
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


def num_steps(num_examples: int, batch_size: int) -> int:
    """Returns how many batches an epoch has; the last may be smaller."""
    return math.ceil(num_examples / batch_size)

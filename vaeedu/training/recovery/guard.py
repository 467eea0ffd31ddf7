"""Finding the step in which a loss or a weight stopped being finite, without waiting for the device at every step."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from vaeedu.training.recovery.state import State


class NonFiniteLossError(ArithmeticError):
    """A loss, or a weight after the step, is NaN or infinite.

    The model holds the last good weights: those before the step.

    Attributes:
        epoch: The epoch, from 0.
        step: The step in it, from 0.
        indices: Which examples the step's batch held, `(B,)`.
        history: The `History` of the epochs before.
    """

    def __init__(self, what: str, epoch: int, step: int, indices: Tensor, history: Any) -> None:
        self.epoch, self.step, self.indices, self.history = epoch, step, indices, history
        shown = ", ".join(map(str, indices[:8].tolist())) + (", …" if len(indices) > 8 else "")
        super().__init__(
            f"{what} in epoch {epoch}, step {step}, on the examples [{shown}] (all in the error's .indices). The model "
            "holds the weights from before that step. Look at these examples; or lower the learning rate, or set "
            "max_grad_norm"
        )


class Guard:
    """Keeps a copy of the last state that was seen to be good; replays from it to the step that went wrong.

    Reading a loss makes a GPU wait. So losses and weights are looked at every few steps, and when something is not
    finite, the state is put back to the last look and the steps are made once more, with a look after each.

    Args:
        state: Where the run stands.
        make_step: Makes the next step of the epoch, on the examples it is given.
    """

    def __init__(self, state: State, make_step: Callable[[Tensor], None]) -> None:
        self._state, self._make_step = state, make_step
        self._batches: Sequence[Tensor] = ()
        self._good = self._state.capture()

    def begin(self, batches: Sequence[Tensor]) -> None:
        """Begins, or goes on in, an epoch of these batches."""
        self._batches = batches
        self._accept()

    def step(self, index: Tensor) -> None:
        """Makes the next step, on the examples `index`; an error that ruined weights led to becomes the guard's own."""
        try:
            self._make_step(index)
        except Exception:
            # Weights that an earlier step has ruined make many a loss raise errors that point elsewhere.
            if self.is_good():
                raise
            self._blame()
            self.step(index)

    def look(self) -> None:
        """Takes the present state as the last good one; if it is none, raises what names the step that ruined it."""
        if not self._accept():
            self._blame()

    def _accept(self) -> bool:
        if not self.is_good():
            return False
        self._good = self._state.capture(into=self._good)
        return True

    def is_good(self) -> bool:
        """Whether the losses since the last good state, and the weights, are finite."""
        return self._bad_step() is None and self._weights_are_finite()

    def go_back(self) -> None:
        """Puts the last good state back."""
        self._state.restore(self._good)

    def _blame(self) -> None:
        """Goes back and repeats the steps up to the bad one, which it raises; returns if they go well this time."""
        state, recorded, end = self._state, self._bad_step(), self._state.step
        losses = state.records[:, 0].clone()
        self.go_back()
        while state.step < end:
            now, before = state.step, state.capture()
            self._make_step(self._batches[now])
            if now != recorded:
                losses[now] = state.records[now, 0]
            loss = float(losses[now])
            if not math.isfinite(loss) or not self._weights_are_finite():
                state.restore(before)
                what = "A weight stopped being finite" if math.isfinite(loss) else f"The loss is {loss:g}"
                raise NonFiniteLossError(what, state.epoch, now, self._batches[now].cpu(), state.history)

    def _bad_step(self) -> int | None:
        """The first step since the last good state whose loss was not finite."""
        start = self._good["step"]
        bad = ~torch.isfinite(self._state.records[start : self._state.step, 0])
        return start + int(bad.nonzero()[0]) if bool(bad.any()) else None

    def _weights_are_finite(self) -> bool:
        # A sum is finite only if every entry is, and one number is all that has to travel.
        sums = [p.detach().sum(dtype=self._state.records.dtype) for p in self._state.model.parameters()]
        return bool(torch.isfinite(torch.stack(sums)).all())

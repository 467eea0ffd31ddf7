"""The loop itself: epochs of steps, with a look, a checkpoint and a validation where they are due."""

import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vaeedu.training.checkpoint import Checkpoint
from vaeedu.training.distributed import Team
from vaeedu.training.guard import Guard
from vaeedu.training.history import History
from vaeedu.training.interrupt import Interrupt
from vaeedu.training.progress import Bar
from vaeedu.training.state import State, copy_tree
from vaeedu.training.step import Step

_LOOK_EVERY = (
    64  # steps between two looks at losses and weights: their copies then cost about a hundredth of a step
)


class Loop:
    """Takes a state through its epochs."""

    def __init__(
        self,
        state: State,
        step: Step,
        num_examples: int,
        batch_size: int,
        *,
        validate: Callable[[], float] | None,
        patience: int | None,
        checkpoint: Checkpoint | None,
        team: Team,
        bar: Bar,
        best: dict[str, Any] | None,
    ) -> None:
        self.state, self._step = state, step
        self._num_examples, self._batch_size = num_examples, batch_size
        self._validate, self._patience = validate, patience
        self._checkpoint, self._team, self._bar = checkpoint, team, bar
        self.best = best
        self.guard = Guard(state)

    def run(self, epochs: int, interrupt: Interrupt) -> None:
        """Runs until so many epochs are done, or patience is out, or Ctrl-C was pressed."""
        state, stop = self.state, False
        while state.epoch < epochs and not stop and not self._is_out_of_patience():
            self._bar.epoch(state.epoch)
            stop = self._epoch(interrupt)
            if state.step == len(state.records):
                self._finish_epoch()
        state.history.stopped_early = state.epoch < epochs and self._is_out_of_patience()
        state.history.interrupted = state.epoch < epochs and not state.history.stopped_early
        self._save()

    def _epoch(self, interrupt: Interrupt) -> bool:
        """Makes the epoch's remaining steps; returns whether Ctrl-C cut it short."""
        state, started, stop = self.state, time.perf_counter(), False
        order = self._order()
        self.guard.accept()

        def batch(step: int) -> Tensor:
            return order[step * self._batch_size : (step + 1) * self._batch_size]

        def make_step(stop: bool = False) -> None:
            self._step(batch(state.step), state.records[state.step], stop=stop)
            state.step += 1

        while state.step < len(state.records) and not stop:
            try:
                make_step(interrupt.pressed)
            except Exception:
                # Weights that an earlier step has ruined make many a loss raise errors that point elsewhere.
                if self.guard.is_good():
                    raise
                self.guard.blame(batch, make_step)
                continue
            self._bar.advance(len(batch(state.step - 1)))
            stop = self._is_to_stop(interrupt)
            if stop or state.step % _LOOK_EVERY == 0 or state.step == len(state.records):
                self._look(batch, make_step)
            if self._checkpoint is not None and self._checkpoint.is_due():
                state.seconds += time.perf_counter() - started
                self._save()
                started = time.perf_counter()
        state.seconds += time.perf_counter() - started
        return stop

    def _look(self, batch: Callable[[int], Tensor], make_step: Callable[[], None]) -> None:
        if not self.guard.accept():
            self.guard.blame(batch, make_step)
        self._bar.loss(float(self.state.records[: self.state.step, 0].mean()))

    def _finish_epoch(self) -> None:
        state, history = self.state, self.state.history
        sizes = self._num_examples - self._batch_size * torch.arange(
            len(state.records), device=state.records.device
        )
        loss, norm, _ = (sizes.clamp(max=self._batch_size).to(state.records) @ state.records).tolist()
        history.loss.append(loss / self._num_examples)
        history.seconds.append(state.seconds)
        history.learning_rate.append(float(state.optimizer.param_groups[0]["lr"]))
        if self._step.clips:
            history.gradient_norm.append(norm / self._num_examples)
        if self._validate is not None:
            self._note(self._validation(self._validate))
        _advance(state.scheduler, history)
        state.epoch, state.step, state.seconds = state.epoch + 1, 0, 0.0
        if self._checkpoint is not None and self._checkpoint.is_due_each_epoch:
            self._save()

    def _order(self) -> Tensor:
        """Returns the order of the epoch's examples: a fresh one, or, in the midst of an epoch, its own again."""
        state, own = self.state, self.state.generators[0]
        self._team.check_alike(own)
        now = own.get_state()
        if state.step == 0:
            state.order = now
        own.set_state(state.order)
        order = torch.randperm(self._num_examples, generator=own, device=own.device)
        if state.step > 0:
            own.set_state(now)
        return order

    def _is_to_stop(self, interrupt: Interrupt) -> bool:
        """Whether to stop after this step: all processes must do so after the same one."""
        if self._team.size == 1:
            return interrupt.pressed
        # Reading from a GPU waits for it: there, only where one looks anyway.
        state = self.state
        is_cheap = state.records.device.type == "cpu" or state.step % _LOOK_EVERY == 0
        return is_cheap and bool((state.records[: state.step, 2] > 0).any())

    def _validation(self, validate: Callable[[], float]) -> float:
        self.state.model.eval()
        with torch.no_grad():
            value = self._team.share_number(float(validate()))
        self.state.model.train()
        return value

    def _note(self, value: float) -> None:
        history = self.state.history
        lowest = math.inf if history.best_epoch is None else history.validation[history.best_epoch]
        if value < lowest:
            history.best_epoch = len(history.validation)
            if self._patience is not None:
                self.best = copy_tree(dict(self.state.model.state_dict()), into=self.best)
        history.validation.append(value)

    def _is_out_of_patience(self) -> bool:
        history = self.state.history
        best = -1 if history.best_epoch is None else history.best_epoch
        return self._patience is not None and len(history.validation) - 1 - best >= self._patience

    def _save(self) -> None:
        """Writes the checkpoint, unless something in it is not finite: the next look will tell."""
        if self._checkpoint is not None and self._team.rank == 0 and self.guard.is_good():
            self._checkpoint.save(self.state.capture(), self.best)


def _advance(scheduler: Any, history: History) -> None:
    """Makes the scheduler's step at an epoch's end."""
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        scheduler.step((history.validation or history.loss)[-1])
    elif scheduler is not None:
        with warnings.catch_warnings():
            # The optimiser's step it misses was made by the run that this one resumes.
            warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
            scheduler.step()

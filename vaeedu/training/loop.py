"""The loop: epochs of batches in a fresh order, each batch a `Step`; a look, a checkpoint, a validation where due."""

import time
import warnings
from typing import Any

import torch
from torch import Tensor

from vaeedu.training.history import History
from vaeedu.training.progress import Bar
from vaeedu.training.recovery import Checkpoint, Guard
from vaeedu.training.selection import Selection
from vaeedu.training.step import Step

# Steps between two looks at losses and weights: their copies then cost about a hundredth of a step.
_LOOK_EVERY = 64


class Loop:
    """Takes a run through its epochs."""

    def __init__(self, step: Step, selection: Selection, file: Checkpoint | None, bar: Bar) -> None:
        self._selection, self._file, self.bar = selection, file, bar
        self._task, self.state, self.team, self.interrupt = step.task, step.state, step.team, step.interrupt
        self._note, self.guard = step.note, Guard(step.state, step)

    def run(self, epochs: int) -> None:
        """Runs until so many epochs are done, or patience is out, or Ctrl-C was pressed."""
        state, stop = self.state, False
        while state.epoch < epochs and not stop and not self._selection.is_over(state.history):
            self.bar.epoch(state.epoch)
            order = state.shuffle(self._task.num_examples, self.team)
            batches = order.split(self._task.batch_size)
            self.guard.begin(batches)
            for index in batches[state.step :]:
                stop = self._step(index)
                if stop:
                    break
            if state.step == len(batches):
                self._finish_epoch()
        state.history.stopped_early = state.epoch < epochs and self._selection.is_over(state.history)
        state.history.interrupted = state.epoch < epochs and not state.history.stopped_early
        self._save()

    def _step(self, index: Tensor) -> bool:
        """Makes one step, and what is due after it; returns whether to stop."""
        state, started = self.state, time.perf_counter()
        self.guard.step(index)  # batch, transform, loss, gradient, update: see Step
        self.bar.advance(len(index))
        stop = self._is_to_stop()
        if stop or state.step % _LOOK_EVERY == 0 or state.step == len(state.records):
            self.guard.look()
            self.bar.loss(float(state.records[: state.step, 0].mean()))
        state.seconds += time.perf_counter() - started
        if self._file is not None and self._file.is_due():
            self._save()
        return stop

    def _is_to_stop(self) -> bool:
        """Whether Ctrl-C was pressed: all processes must stop after the same step."""
        state = self.state
        if self.team.size == 1:
            return self.interrupt.pressed
        # Reading from a GPU waits for it: there, only where one looks anyway.
        is_cheap = state.records.device.type == "cpu" or state.step % _LOOK_EVERY == 0
        return is_cheap and bool((state.records[: state.step, 2] > 0).any())

    def _finish_epoch(self) -> None:
        state, history = self.state, self.state.history
        self._note(history)
        history.seconds.append(state.seconds)
        history.learning_rate.append(float(state.optimizer.param_groups[0]["lr"]))
        self._selection.note(state, self.team)
        _advance(state.scheduler, history)
        state.epoch, state.step, state.seconds = state.epoch + 1, 0, 0.0
        if self._file is not None and self._file.is_due_each_epoch:
            self._save()

    def _save(self) -> None:
        """Writes the checkpoint, unless something in it is not finite: the next look will tell."""
        if self._file is not None and self.team.rank == 0 and self.guard.is_good():
            self._file.save(self.state.capture(), self._selection.best)


def _advance(scheduler: Any, history: History) -> None:
    """Makes the scheduler's step at an epoch's end."""
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        scheduler.step((history.validation or history.loss)[-1])
    elif scheduler is not None:
        with warnings.catch_warnings():
            # The optimiser's step it misses was made by the run that this one resumes.
            warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
            scheduler.step()

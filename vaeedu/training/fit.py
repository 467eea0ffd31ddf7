"""The training loop of every model in the course."""

import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaeedu import checks
from vaeedu.training import batches, devices, interrupt
from vaeedu.training.guard import Guard
from vaeedu.training.history import History
from vaeedu.training.progress import Bar
from vaeedu.training.state import State
from vaeedu.training.step import Step, num_steps

_LOOK_EVERY = 64  # steps between two looks at losses and weights


def fit(
    model: nn.Module,
    data: Tensor | tuple[Tensor, ...],
    loss: Callable[..., Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    batch_size: int = 128,
    transform: Callable[..., Any] | None = None,
    generator: torch.Generator | None = None,
    validate: Callable[[], float] | None = None,
    patience: int | None = None,
    max_grad_norm: float | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | timedelta | None = None,
    device: str | torch.device = "auto",
    precision: str = "float32",
    compile: bool = False,
    progress: bool = True,
    scheduler: Any = None,
) -> History:
    """Trains a model by stochastic gradient descent."""
    N = len((tensors := batches.as_tensors(data))[0])
    epochs, batch_size = checks.positive_int("epochs", epochs), checks.positive_int("batch_size", batch_size)
    where = devices.resolve(device, model)
    model.to(where)
    optimizer.load_state_dict(optimizer.state_dict())  # moves what it has to where the weights are
    tensors = tuple(tensor.to(where) for tensor in tensors)
    own = devices.own_generator(generator, where)
    steps = num_steps(N, batch_size)
    records = torch.zeros(steps, 2, dtype=torch.float64, device=where)
    generators = [own] if generator is None or own is generator else [own, generator]
    state = State(model, optimizer, scheduler, generators, records, order=own.get_state())
    step = Step(
        tensors,
        loss,
        model,
        optimizer,
        own,
        transform=transform,
        max_grad_norm=max_grad_norm,
        autocast=devices.autocast(precision, where),
        compile=compile,
    )
    run = _Run(state, step, N, batch_size)
    bar = Bar(progress, N, epochs, done=0)
    was_training = model.training
    model.train()
    try:
        with interrupt.deferred() as ctrl_c:
            while state.epoch < epochs and not ctrl_c.pressed:
                run.epoch(bar, ctrl_c)
    except KeyboardInterrupt:
        run.guard.go_back()
        state.history.interrupted = True
    finally:
        bar.close()
        model.train(was_training)
    if ctrl_c.pressed:
        state.history.interrupted = True
        warnings.warn(
            f"fit was interrupted in epoch {state.epoch}, after its step {state.step}", stacklevel=2
        )
    return state.history


class _Run:
    def __init__(self, state: State, step: Step, num_examples: int, batch_size: int) -> None:
        self.state, self._step, self._N, self._batch_size = state, step, num_examples, batch_size
        self.guard = Guard(state)

    def epoch(self, bar: Bar, ctrl_c: interrupt.Interrupt) -> None:
        state = self.state
        own = state.generators[0]
        start = time.perf_counter()
        bar.epoch(state.epoch)
        state.order = own.get_state()
        order = torch.randperm(self._N, generator=own, device=own.device)
        self.guard.accept()

        def batch(step: int) -> Tensor:
            return order[step * self._batch_size : (step + 1) * self._batch_size]

        def make_step() -> None:
            self._step(batch(state.step), state.records[state.step])
            state.step += 1

        while state.step < len(state.records) and not ctrl_c.pressed:
            make_step()
            bar.advance(len(batch(state.step - 1)))
            if state.step % _LOOK_EVERY == 0 or state.step == len(state.records) or ctrl_c.pressed:
                if not self.guard.accept():
                    self.guard.blame(order, batch, make_step)
                bar.loss(float(state.records[: state.step, 0].mean()))
        state.seconds += time.perf_counter() - start
        if state.step == len(state.records):
            sizes = torch.tensor(
                [len(batch(s)) for s in range(state.step)], dtype=torch.float64, device=order.device
            )
            means = sizes @ state.records / self._N
            state.history.loss.append(float(means[0]))
            state.history.seconds.append(state.seconds)
            state.history.learning_rate.append(float(state.optimizer.param_groups[0]["lr"]))
            state.epoch, state.step, state.seconds = state.epoch + 1, 0, 0.0
            if state.scheduler is not None:
                state.scheduler.step()

"""The training loop of every model in the course."""

import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaeedu import require
from vaeedu.training import devices
from vaeedu.training.batches import as_tensors
from vaeedu.training.history import History
from vaeedu.training.loop import Loop
from vaeedu.training.objective import Arithmetic, Objective
from vaeedu.training.progress import Bar
from vaeedu.training.recovery import Checkpoint, Interrupt, State, deferred
from vaeedu.training.selection import Selection
from vaeedu.training.step import Step
from vaeedu.training.task import Task


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
    microbatch_size: int | None = None,
) -> History:
    r"""Trains a model by stochastic gradient descent.

    $$\theta \leftarrow \theta - \text{optimizer}\Big(\nabla_\theta \tfrac1B \textstyle\sum_{b=1}^B
      \ell_\theta(x_{i_b}; \varepsilon_b)\Big), \quad i \text{ a fresh random order each epoch.}$$

    All randomness, the order, the transform's and the loss's, comes from `generator`: the same start gives the same
    run. Data stay whole tensors on the device, and batches are cut out of them by index.

    Under `torchrun` the processes share each batch: the batch size is that of all together, all know the same order of
    the examples, and the loss must be a mean over examples. Each draws from a generator of its own, derived from
    `generator` (process 0's counts), the step and its rank. So a loss and a transform without draws give what one
    process gives, up to rounding; with draws, they give a run of the same distribution, with other noise.

    Args:
        model: Holds every parameter that is trained; several networks go into an `nn.ModuleList`. Moved to the device.
        data: A tensor or a tuple of tensors, N rows each, of any dtype; copied to the device whole.
        loss: `loss(*batch, generator=...)` returns the batch's mean loss, a scalar (nats, say).
        optimizer: Of the model's parameters. `torch.optim.Adam(model.parameters(), fused=True)` makes a step of a small
            model a good deal faster than Adam's default.
        epochs: How often each example is seen in all, a resumed run's earlier epochs among them.
        batch_size: B; the last batch of an epoch holds what is left.
        transform: `transform(*batch, generator=...)` returns what the loss gets, a tensor or a tuple: there bytes
            become floats, and grey values black and white.
        generator: The source of randomness; None is one seeded by torch's global generator. If it lies on another
            device than the data, it seeds one there. `loss` and `transform` get the generator they must draw from.
        validate: `validate()` returns a number to be made small, after each epoch, without gradients and with the
            model in evaluation mode. It should draw from a generator of its own, seeded afresh each time.
        patience: Stop when `validate` has found nothing lower for so many epochs. The model is then left with its best
            weights, however the run ended.
        max_grad_norm: Scale each gradient down to this Euclidean norm, where it is greater.
        checkpoint: A file from which the run goes on if it is there, and to which it is written. A run that is killed
            at any point and started again ends, on a CPU, bit for bit as if it had not been; the generator's state is
            then the stored one. With another number of processes it goes on likewise, with other noise.
        checkpoint_every: So many steps, or a `datetime.timedelta`; None is every epoch. The end is always written.
        device: `"auto"` is the model's own, or a GPU if there is one, or else the CPU.
        precision: `"float32"` leaves every dtype as it is; `"bfloat16"` computes the loss under autocast, with the
            weights as they are; a device that would only emulate it trains in float32, and says so.
        compile: Whether to compile the loss with `torch.compile`; if that fails, it says so, and goes on without.
        progress: Whether to show a bar with the loss and the rate.
        scheduler: A learning-rate scheduler; it makes a step after each epoch.
        microbatch_size: Cut each batch into pieces of so many examples and add up their gradients: the same step in
            less memory, for a loss that is a mean over examples. The pieces draw in turn: the step agrees up to
            rounding where the loss draws nothing, and in distribution elsewhere. None, on the CPU, asks the model:
            where it has a `microbatch_size`, that is taken.

    Returns:
        The numbers of all epochs. After Ctrl-C, which waits for the end of the step, `interrupted` is True in it; a
        second Ctrl-C does not wait, and costs the last few steps.

    Raises:
        ValueError: An argument is not as described, or the checkpoint is damaged or another run's.
        NonFiniteLossError: A loss or a weight became NaN or infinite; the model holds the last good weights.

    >>> g = torch.Generator().manual_seed(0)
    >>> x = torch.randn(256, 1, generator=g)
    >>> line = torch.nn.Linear(1, 1)
    >>> def squared_error(x, y, *, generator):
    ...     return (line(x) - y).square().mean()
    >>> descent = torch.optim.SGD(line.parameters(), lr=0.2)
    >>> history = fit(line, (x, 3 * x - 1), squared_error, descent, epochs=20, generator=g, progress=False)
    >>> round(line.weight.item(), 2), round(line.bias.item(), 2), len(history.loss)
    (3.0, -1.0, 20)
    """
    require.positive_int("epochs", epochs)
    task = Task(model, as_tensors(data), loss, optimizer, transform, scheduler, batch_size, max_grad_norm)
    selection = Selection(validate, patience)
    team = devices.join(devices.resolve(device, model))
    how = Arithmetic(precision, compile, microbatch_size).on(team.device, model)
    devices.keep_freed_memory()
    task = task.on(team.device)
    state = State.of(task, generator, team.device)
    told = task.describe() | {"precision": how.precision, "device": team.device.type}
    file = Checkpoint.at(checkpoint, checkpoint_every, told)
    selection.best = resume(file, state, team)
    step = Step(task, Objective(task, how, team.device), state, team, Interrupt())
    bar = Bar(progress and team.rank == 0, task.num_examples, epochs, done=state.num_seen(task))
    run(Loop(step, selection, file, bar), epochs)
    selection.restore(state)
    if state.history.interrupted:
        warnings.warn(f"fit was interrupted in epoch {state.epoch}, before step {state.step}", stacklevel=2)
    return state.history


def resume(file: Checkpoint | None, state: State, team: devices.Team) -> dict[str, Any] | None:
    """Puts the state where the checkpoint has it, if there is one; returns the best weights in it."""
    content = team.share(file.read() if team.rank == 0 else None) if file is not None else None
    if file is None or content is None:
        team.share_weights(state.model)
        return None
    stored, best = file.parse(content, state.capture())
    state.restore(stored)
    return best


def run(loop: Loop, epochs: int) -> None:
    """Runs the loop, and leaves bar, Ctrl-C and the model's mode as they were."""
    model, history = loop.state.model, loop.state.history
    was_training = model.training
    model.train()
    try:
        with deferred(loop.interrupt):
            loop.run(epochs)
    except KeyboardInterrupt:
        # The second one: it may have come in the middle of an update. Other processes cannot know of it.
        loop.guard.go_back()
        history.interrupted = True
        if loop.team.size > 1:
            raise
    finally:
        loop.bar.close()
        model.train(was_training)

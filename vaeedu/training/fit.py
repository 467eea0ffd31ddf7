"""The training loop of every model in the course."""

import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaeedu import require
from vaeedu.training import batches, devices, distributed
from vaeedu.training.checkpoint import Checkpoint
from vaeedu.training.history import History
from vaeedu.training.interrupt import deferred
from vaeedu.training.loop import Loop
from vaeedu.training.progress import Bar
from vaeedu.training.state import State
from vaeedu.training.step import Step, num_steps


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

    Under `torchrun` the processes share each batch, and give what one process with the whole batch gives, up to
    rounding: the batch size is that of all together. Draws in `loss` and `transform` must be made by
    `vaeedu.sampling`, and the loss must be a mean over examples.

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
            device than the data, it seeds one there.
        validate: `validate()` returns a number to be made small, after each epoch, without gradients and with the
            model in evaluation mode. It should draw from a generator of its own, seeded afresh each time.
        patience: Stop when `validate` has found nothing lower for so many epochs. The model is then left with its best
            weights, however the run ended.
        max_grad_norm: Scale each gradient down to this Euclidean norm, where it is greater.
        checkpoint: A file from which the run goes on if it is there, and to which it is written. A run that is killed
            at any point and started again ends, on a CPU, bit for bit as if it had not been; the generator's state is
            then the stored one.
        checkpoint_every: So many steps, or a `datetime.timedelta`; None is every epoch. The end is always written.
        device: `"auto"` is the model's own, or a GPU if there is one, or else the CPU.
        precision: `"float32"` leaves every dtype as it is; `"bfloat16"` computes the loss under autocast, with the
            weights as they are; a device that would only emulate it trains in float32, and says so.
        compile: Whether to compile the loss with `torch.compile`; if that fails, it says so, and goes on without.
        progress: Whether to show a bar with the loss and the rate.
        scheduler: A learning-rate scheduler; it makes a step after each epoch.
        microbatch_size: Cut each batch into pieces of so many examples and add up their gradients, which is the same
            step, up to rounding, in less memory; the loss must be a mean over examples, and its draws made by
            `vaeedu.sampling`. None, on the CPU, asks the model: where it has a `microbatch_size`, that is taken.

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
    epochs, batch_size = (
        require.positive_int("epochs", epochs),
        require.positive_int("batch_size", batch_size),
    )
    _check_options(model, optimizer, validate, patience, max_grad_norm, checkpoint, checkpoint_every)
    rows = batches.as_tensors(data)
    team = distributed.join(devices.resolve(device, model))
    where = team.device
    # A checkpoint is of the precision that was computed in, not of the one that was asked for.
    precision = devices.usable_precision(precision, where)
    rows = tuple(tensor.to(where) for tensor in rows)
    state = _start(
        model.to(where), optimizer, scheduler, generator, num_steps(len(rows[0]), batch_size), where
    )
    step = Step(
        rows,
        loss,
        model,
        optimizer,
        state.generators[0],
        transform=transform,
        max_grad_norm=max_grad_norm,
        autocast=devices.autocast(precision, where),
        compile=compile,
        team=team,
        microbatch_size=_microbatch_size(microbatch_size, model, where),
    )
    run = _describe(optimizer, scheduler, rows, batch_size, precision, max_grad_norm, where)
    file = Checkpoint(checkpoint, checkpoint_every, run) if checkpoint is not None else None
    best = _resume(file, state, team)
    bar = Bar(
        progress and team.rank == 0, len(rows[0]), epochs, done=state.num_seen(len(rows[0]), batch_size)
    )
    loop = Loop(
        state,
        step,
        len(rows[0]),
        batch_size,
        validate=validate,
        patience=patience,
        checkpoint=file,
        team=team,
        bar=bar,
        best=best,
    )
    _run(loop, epochs, bar, team)
    if patience is not None and loop.best is not None:
        model.load_state_dict(loop.best)
    if state.history.interrupted:
        warnings.warn(f"fit was interrupted in epoch {state.epoch}, before step {state.step}", stacklevel=2)
    return state.history


def _run(loop: Loop, epochs: int, bar: Bar, team: distributed.Team) -> None:
    """Runs the loop, and leaves bar, Ctrl-C and the model's mode as they were."""
    model = loop.state.model
    was_training = model.training
    model.train()
    try:
        with deferred() as interrupt:
            loop.run(epochs, interrupt)
    except KeyboardInterrupt:
        # The second one: it may have come in the middle of an update. Other processes cannot know of it.
        loop.guard.go_back()
        loop.state.history.interrupted = True
        if team.size > 1:
            raise
    finally:
        bar.close()
        model.train(was_training)


def _microbatch_size(asked: int | None, model: nn.Module, where: torch.device) -> int | None:
    if asked is not None:
        return require.positive_int("microbatch_size", asked)
    # A GPU holds on to its memory, and is the slower for small pieces.
    return getattr(model, "microbatch_size", None) if where.type == "cpu" else None


def _start(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scheduler: Any,
    generator: torch.Generator | None,
    steps: int,
    where: torch.device,
) -> State:
    """Returns the state before the first step."""
    optimizer.load_state_dict(optimizer.state_dict())  # moves its moments to where the weights are now
    own = devices.own_generator(generator, where)
    generators = [own] if generator is None or own is generator else [own, generator]
    dtype = torch.float32 if where.type == "mps" else torch.float64
    records = torch.zeros(steps, 3, dtype=dtype, device=where)
    return State(model, optimizer, scheduler, generators, records, order=own.get_state())


def _resume(file: Checkpoint | None, state: State, team: distributed.Team) -> dict[str, Any] | None:
    """Puts the state where the checkpoint has it, if there is one, and makes all processes agree."""
    content = team.share(file.read() if team.rank == 0 else None) if file is not None else None
    if file is None or content is None:
        team.share_weights(state.model)
        team.align(state.generators)
        return None
    stored, best = file.parse(content, state.capture())
    state.restore(stored)
    return best


def _describe(
    optimizer: torch.optim.Optimizer,
    scheduler: Any,
    rows: tuple[Tensor, ...],
    batch_size: int,
    precision: str,
    max_grad_norm: float | None,
    where: torch.device,
) -> dict[str, Any]:
    """Tells this run from others whose checkpoint must not be taken for its own."""
    settings = {f"optimizer's {name}": _plain(value) for name, value in optimizer.defaults.items()}
    return {
        "data": batches.fingerprint(rows),
        "batch_size": batch_size,
        "optimizer": type(optimizer).__name__,
        **settings,
        "scheduler": type(scheduler).__name__,
        "precision": precision,
        "max_grad_norm": max_grad_norm,
        "device": where.type,
    }


def _plain(value: object) -> object:
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


def _check_options(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    validate: object,
    patience: int | None,
    max_grad_norm: float | None,
    checkpoint: object,
    checkpoint_every: object,
) -> None:
    if patience is not None:
        require.positive_int("patience", patience)
        if validate is None:
            raise ValueError(
                f"patience must be None without validate, but is {patience}: pass validate as well"
            )
    if max_grad_norm is not None:
        require.positive_float("max_grad_norm", max_grad_norm)
    if checkpoint is None and checkpoint_every is not None:
        raise ValueError(
            f"checkpoint_every must be None without checkpoint, but is {checkpoint_every}: name the file as well"
        )
    held = {id(parameter) for parameter in model.parameters()}
    optimised = [p for group in optimizer.param_groups for p in group["params"]]
    if foreign := [p for p in optimised if id(p) not in held]:
        raise ValueError(
            f"optimizer must update parameters of model, but {len(foreign)} of its {len(optimised)} are not: "
            "put all the networks that are trained into one nn.ModuleList, and pass that as model"
        )
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter.detach()).all()):
            raise ValueError(
                f"model must hold finite weights, but {name} has NaN or infinite ones: build it anew"
            )

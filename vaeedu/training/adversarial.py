"""The same loop for two networks that play against each other: a step of the one, then a step of the other."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaeedu import require
from vaeedu.training import devices
from vaeedu.training.batches import as_batch, as_tensors, take
from vaeedu.training.fit import resume, run
from vaeedu.training.history import History
from vaeedu.training.loop import Loop
from vaeedu.training.objective import Arithmetic, Objective
from vaeedu.training.progress import Bar
from vaeedu.training.recovery import Checkpoint, Interrupt, State
from vaeedu.training.selection import Selection
from vaeedu.training.step import Step
from vaeedu.training.task import Task
from vaeedu.training.together import Optimizers, Together

Loss = Callable[..., Tensor]


@dataclass
class AdversarialHistory(History):
    """The numbers of a run of `fit_adversarial`: `loss` is the critic's.

    Attributes:
        generator_loss: Mean loss of the generator over its steps in the epoch. Neither says how good the samples are.
    """

    generator_loss: list[float] = field(default_factory=list)


def fit_adversarial(
    model: nn.Module,
    data: Tensor | tuple[Tensor, ...],
    losses: tuple[Loss, Loss],
    optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer],
    *,
    epochs: int,
    batch_size: int = 128,
    critic_steps: int = 1,
    transform: Callable[..., Any] | None = None,
    generator: torch.Generator | None = None,
    after_step: Callable[[], object] | None = None,
    validate: Callable[[], float] | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | timedelta | None = None,
    device: str | torch.device = "auto",
    precision: str = "float32",
    progress: bool = True,
    schedulers: tuple[Any, Any] | None = None,
) -> AdversarialHistory:
    r"""Trains two networks in turn, each on a loss of its own: the critic ψ and the generator θ.

    $$\psi \leftarrow \psi - \text{optimizer}_\psi(\nabla_\psi L_\psi) \text{ on each batch}, \qquad
      \theta \leftarrow \theta - \text{optimizer}_\theta(\nabla_\theta L_\theta) \text{ after every } k
      \text{ of them, on the last.}$$

    What `fit` promises holds here, because it is the same loop, guard and checkpoint: all randomness comes from
    `generator`, and a run that is killed and started again ends, on a CPU, bit for bit as if it had not been. It trains
    in one process.

    Args:
        model: Holds both networks, and whatever else belongs to the run, such as a moving average of weights.
        data: A tensor or a tuple of tensors, N rows each; copied to the device whole.
        losses: The critic's and the generator's, both to be made small. Each is called as `loss(*batch, generator=...)`
            and returns a scalar. While one is computed the other's parameters ask for no gradient.
        optimizers: The critic's and the generator's, of separate parameters of the model.
        epochs: How often each example is seen in all, a resumed run's earlier epochs among them.
        batch_size: B.
        critic_steps: k: how many batches the critic sees for one step of the generator.
        transform: As `fit`'s.
        generator: The source of randomness; None is one seeded by torch's global generator.
        after_step: Called after each step of the generator, with no gradient. What it changes is to be part of `model`,
            or a resumed run will not know of it; it draws nothing.
        validate: As `fit`'s: the number is noted in the history. It stops nothing.
        checkpoint: As `fit`'s.
        checkpoint_every: As `fit`'s.
        device: As `fit`'s.
        precision: As `fit`'s, for both losses.
        progress: Whether to show a bar with the critic's loss and the rate.
        schedulers: A learning-rate scheduler for each optimiser; they make a step after each epoch.

    Returns:
        The numbers of all epochs.

    Raises:
        ValueError: An argument is not as described, or the checkpoint is damaged or another run's.
        NonFiniteLossError: A loss or a weight became NaN or infinite; the model holds the last good weights.

    >>> from torch.nn.functional import softplus
    >>> model = torch.nn.ModuleList([torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)])
    >>> critic, shift = model
    >>> def critic_loss(x, *, generator):
    ...     fake = shift(torch.zeros_like(x)).detach()
    ...     return (softplus(-critic(x)) + softplus(critic(fake))).mean() + critic.weight.square().sum()
    >>> def generator_loss(x, *, generator):
    ...     return softplus(-critic(shift(torch.zeros_like(x)))).mean()
    >>> sgd = (torch.optim.SGD(critic.parameters(), lr=0.1), torch.optim.SGD(shift.parameters(), lr=0.1))
    >>> history = fit_adversarial(
    ...     model, torch.full((64, 1), 3.0), (critic_loss, generator_loss), sgd, epochs=600, progress=False
    ... )
    >>> round(shift.bias.item(), 1), len(history.generator_loss)
    (3.0, 600)
    """
    require.positive_int("epochs", epochs)
    both = Optimizers(dict(zip(("critic", "generator"), _pair("optimizers", optimizers), strict=True)))
    schedules = None if schedulers is None else Together(_pair("schedulers", schedulers))
    critic_loss, generator_loss = _pair("losses", losses)
    task = Task(model, as_tensors(data), critic_loss, both, transform, schedules, batch_size, None)
    require.positive_int(
        "critic_steps", critic_steps, at_most=task.num_steps, because="the batches of an epoch"
    )
    selection = Selection(validate, None)
    team = devices.join(devices.resolve(device, model))
    if team.size > 1:
        raise ValueError(
            f"fit_adversarial must run in one process, but there are {team.size}: start it without torchrun"
        )
    # In one piece: a generator's batch normalisation is to see the whole batch.
    how = Arithmetic(precision, compile=False, microbatch_size=task.batch_size).on(team.device, model)
    devices.keep_freed_memory()
    task = task.on(team.device)
    state = State.of(task, generator, team.device)
    state.history = history = AdversarialHistory()
    told = task.describe() | {
        "critic_steps": critic_steps,
        "precision": how.precision,
        "device": team.device.type,
    }
    file = Checkpoint.at(checkpoint, checkpoint_every, told)
    resume(file, state, team)
    tasks = [replace(task, loss=loss) for loss in (critic_loss, generator_loss)]
    objectives = [Objective(each, how, team.device) for each in tasks]
    step = _Turns(task, objectives, critic_steps, after_step, state, team)
    bar = Bar(progress, task.num_examples, epochs, done=state.num_seen(task))
    run(Loop(step, selection, file, bar), epochs)
    if history.interrupted:
        warnings.warn(
            f"fit_adversarial was interrupted in epoch {state.epoch}, before step {state.step}", stacklevel=2
        )
    return history


class _Turns(Step):
    """Makes a critic's step on each batch, and after every `critic_steps` of them, from the first on, a generator's."""

    def __init__(
        self,
        task: Task,
        objectives: Sequence[Objective],
        critic_steps: int,
        after_step: Callable[[], object] | None,
        state: State,
        team: devices.Team,
    ) -> None:
        super().__init__(task, objectives[0], state, team, Interrupt())
        self._objectives, self._critic_steps, self._after_step = objectives, critic_steps, after_step
        self._optimizers: tuple[torch.optim.Optimizer, ...] = task.optimizer.each  # type: ignore[attr-defined]

    def __call__(self, index: Tensor) -> None:
        """Updates the critic, and where it is its turn the generator, by one batch."""
        task, state, generator = self.task, self.state, self.state.generators[0]
        batch = take(task.data, index)
        if task.transform is not None:
            batch = as_batch(task.transform(*batch, generator=generator))
        record = state.records[state.step]
        record[0] = self._turn(0, batch, generator)
        if self._is_generators_turn(state.num_steps):
            record[1] = self._turn(1, batch, generator)
            if self._after_step is not None:
                with torch.no_grad():
                    self._after_step()
        state.step += 1

    def note(self, history: History) -> None:
        """Adds the epoch's mean losses to the history, each over the steps in which it was computed."""
        history.loss.append(self.task.mean(self.state.records)[0])
        begun = self.state.epoch * len(self.state.records)
        turns = [self._is_generators_turn(begun + i) for i in range(len(self.state.records))]
        mine = self.state.records[torch.tensor(turns, device=self.state.records.device), 1]
        history.generator_loss.append(float(mine.mean()))  # type: ignore[attr-defined]

    def _is_generators_turn(self, num_steps: int) -> bool:
        return (num_steps + 1) % self._critic_steps == 0

    def _turn(self, player: int, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        optimizer, other = self._optimizers[player], self._optimizers[1 - player]
        optimizer.zero_grad(set_to_none=True)
        with _frozen(other):
            loss = self._objectives[player].backward(batch, generator)
        optimizer.step()
        return loss


@contextmanager
def _frozen(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Lets an optimiser's parameters ask for no gradient: theirs would be computed in vain."""
    parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    for p in parameters:
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p in parameters:
            p.requires_grad_(True)


def _pair(name: str, value: Any) -> tuple[Any, Any]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(
            f"{name} must be two, the critic's and the generator's, but is {type(value).__name__}"
            f"{f' of {len(value)}' if isinstance(value, (tuple, list)) else ''}: use ({name[:-1]}_of_critic, …)"
        )
    return value[0], value[1]

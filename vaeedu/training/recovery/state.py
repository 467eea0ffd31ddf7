"""Everything that decides how a run goes on, as one object that can be copied and put back."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from vaeedu.training.devices import Team, own_generator
from vaeedu.training.history import History
from vaeedu.training.task import Task


@dataclass
class State:
    """Where a run stands: a resumed or replayed run needs this, the data and the loss, and nothing else.

    Attributes:
        model: The weights.
        optimizer: Its moments and learning rates.
        scheduler: Or None.
        generators: The one that draws the order of the examples and, where one process trains alone, all else; and the
            caller's where that is another.
        order: The state of the first generator before it drew the epoch's order.
        epoch: The epoch under way, from 0.
        step: How many of its steps are done.
        records: Of each of the epoch's steps the loss, the gradient's norm and how many processes want to stop,
            `(steps, 3)`, on the device.
        seconds: Time the epoch took so far.
        history: Of the epochs that are done.
        seed: Of what several processes draw in this epoch; it follows from `order`.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: Any
    generators: list[torch.Generator]
    records: Tensor
    order: Tensor
    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    history: History = field(default_factory=History)
    seed: int = 0

    @classmethod
    def of(cls, task: Task, generator: torch.Generator | None, device: torch.device) -> "State":
        """Returns the state before the first step."""
        own = own_generator(generator, device)
        generators = [own] if generator is None or own is generator else [own, generator]
        dtype = torch.float32 if device.type == "mps" else torch.float64
        records = torch.zeros(task.num_steps, 3, dtype=dtype, device=device)
        return cls(task.model, task.optimizer, task.scheduler, generators, records, order=own.get_state())

    def shuffle(self, num_examples: int, team: Team) -> Tensor:
        """Returns the epoch's order of examples: a fresh one or, in the midst of an epoch, its own again.

        It is that of process 0, and the same whether one process draws it or several.
        """
        shared = self.generators[0]
        now = shared.get_state()
        if self.step == 0:
            self.order = team.share_state(now)
        shared.set_state(self.order)
        order = torch.randperm(num_examples, generator=shared, device=shared.device)
        self.seed = team.seed(shared)
        if self.step > 0:
            shared.set_state(now)
        return order

    @property
    def num_steps(self) -> int:
        """Number of steps so far, from the first epoch on."""
        return self.epoch * len(self.records) + self.step

    def num_seen(self, task: Task) -> int:
        """Returns how many examples were seen so far, those seen twice counted twice."""
        return self.epoch * task.num_examples + min(self.step * task.batch_size, task.num_examples)

    def capture(self, into: Any = None) -> dict[str, Any]:
        """Returns a copy of everything as tensors in plain containers, written over `into` where that fits."""
        live = {
            "model": dict(self.model.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler is not None else None,
            "generators": [generator.get_state() for generator in self.generators],
            "order": self.order,
            "epoch": self.epoch,
            "step": self.step,
            "seconds": self.seconds,
            "records": self.records,
            "history": self.history.state_dict(),
        }
        copy: dict[str, Any] = copy_tree(live, into)
        return copy

    def restore(self, tree: dict[str, Any]) -> None:
        """Puts everything back as it was when `capture` returned `tree`."""
        tree = copy_tree(tree)  # an optimiser keeps the tensors it is given
        self.model.load_state_dict(tree["model"])
        self.optimizer.load_state_dict(tree["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(tree["scheduler"])
        for generator, state in zip(self.generators, tree["generators"], strict=True):
            generator.set_state(state)
        self.order, self.epoch, self.step = tree["order"], tree["epoch"], tree["step"]
        self.seconds = tree["seconds"]
        self.records.copy_(tree["records"])
        self.history.load_state_dict(tree["history"])


def copy_tree(tree: Any, into: Any = None) -> Any:
    """Copies tensors in nested dicts, lists and tuples; into those of `into` where shape, type and device agree.

    Writing over an old copy saves fetching fresh memory, which takes longer than the copying.
    """
    if isinstance(tree, Tensor):
        tree = tree.detach()
        fits = isinstance(into, Tensor) and (into.shape, into.dtype, into.device) == (
            tree.shape,
            tree.dtype,
            tree.device,
        )
        return into.copy_(tree) if fits else tree.clone()
    if isinstance(tree, dict):
        old = into if isinstance(into, dict) else {}
        return {key: copy_tree(value, old.get(key)) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        fits = isinstance(into, (list, tuple)) and len(into) == len(tree)
        places = into if fits else [None] * len(tree)
        return type(tree)(copy_tree(value, place) for value, place in zip(tree, places, strict=True))
    return tree

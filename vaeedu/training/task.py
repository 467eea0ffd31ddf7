"""What is trained, and on what: all that a loop written out by hand would need."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from vaeedu import require
from vaeedu.training.batches import fingerprint


@dataclass(frozen=True)
class Task:
    """What is trained, and on what; the attributes are arguments of `fit`, the data a tuple.

    Raises:
        ValueError: An attribute is not as `fit` describes it.
    """

    model: nn.Module
    data: tuple[Tensor, ...]
    loss: Callable[..., Tensor]
    optimizer: torch.optim.Optimizer
    transform: Callable[..., Any] | None
    scheduler: Any
    batch_size: int
    max_grad_norm: float | None

    def __post_init__(self) -> None:
        require.positive_int("batch_size", self.batch_size)
        if self.max_grad_norm is not None:
            require.positive_float("max_grad_norm", self.max_grad_norm)
        _check_model(self.model, self.optimizer)

    @property
    def num_examples(self) -> int:
        """Number of examples, of each of which an epoch sees one."""
        return len(self.data[0])

    @property
    def num_steps(self) -> int:
        """Number of batches in an epoch; the last may be smaller."""
        return math.ceil(self.num_examples / self.batch_size)

    def on(self, device: torch.device) -> "Task":
        """Returns it with the data on the device, where the model and the optimiser's moments are moved, too."""
        self.model.to(device)
        self.optimizer.load_state_dict(self.optimizer.state_dict())  # goes where the weights are now
        return replace(self, data=tuple(tensor.to(device) for tensor in self.data))

    def mean(self, records: Tensor) -> list[float]:
        """Averages what was noted of an epoch's steps, `(steps, …)`, over its examples."""
        seen = self.batch_size * torch.arange(len(records), device=records.device)
        sizes = (self.num_examples - seen).clamp(max=self.batch_size)
        means: list[float] = (sizes.to(records) @ records / self.num_examples).tolist()
        return means

    def describe(self) -> dict[str, Any]:
        """Tells this task from others whose checkpoint must not be taken for its own."""
        settings = {f"optimizer's {name}": _plain(value) for name, value in self.optimizer.defaults.items()}
        return {
            "data": fingerprint(self.data),
            "batch_size": self.batch_size,
            "optimizer": type(self.optimizer).__name__,
            **settings,
            "scheduler": type(self.scheduler).__name__,
            "max_grad_norm": self.max_grad_norm,
        }


def _plain(value: object) -> object:
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


def _check_model(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
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

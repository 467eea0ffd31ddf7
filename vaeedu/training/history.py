"""What a training run leaves behind besides the model: its numbers, epoch by epoch."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class History:
    """The numbers of a run of `fit`; list entry i belongs to epoch i, counted from 0.

    An epoch that was interrupted leaves no entry.

    Attributes:
        loss: Mean loss over the epoch's examples, each under the weights of its step; the loss's unit (nats for a
            negative ELBO).
        seconds: Wall-clock time of the epoch's steps, without validation and checkpoints.
        validation: What `validate` returned after the epoch; empty without it.
        learning_rate: That of the first parameter group, during the epoch.
        gradient_norm: Mean norm of the gradient before clipping; empty without `max_grad_norm`.
        best_epoch: The epoch with the lowest validation; None without `validate`.
        stopped_early: Whether `patience` ended the run.
        interrupted: Whether Ctrl-C did.
    """

    loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    stopped_early: bool = False
    interrupted: bool = False

    def state_dict(self) -> dict[str, Any]:
        """Returns the numbers as plain containers, a copy."""
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over the numbers of another history."""
        for each in fields(self):
            value = state[each.name]
            setattr(self, each.name, list(value) if isinstance(value, list) else value)

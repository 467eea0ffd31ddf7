"""What keeps a run safe: its state as one value, the guard against numbers that are not finite, Ctrl-C, checkpoints."""

from vaeedu.training.recovery.checkpoint import Checkpoint
from vaeedu.training.recovery.guard import Guard, NonFiniteLossError
from vaeedu.training.recovery.interrupt import Interrupt, deferred
from vaeedu.training.recovery.state import State, copy_tree

__all__ = [
    "Checkpoint",
    "Guard",
    "Interrupt",
    "NonFiniteLossError",
    "State",
    "copy_tree",
    "deferred",
]

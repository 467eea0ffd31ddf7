"""Where a run computes: on which device, in which precision, and together with which other processes."""

from vaeedu.training.devices.memory import keep_freed_memory
from vaeedu.training.devices.precision import autocast, has_bfloat16, usable_precision
from vaeedu.training.devices.team import Team, join
from vaeedu.training.devices.where import default_device, own_generator, resolve

__all__ = [
    "Team",
    "autocast",
    "default_device",
    "has_bfloat16",
    "join",
    "keep_freed_memory",
    "own_generator",
    "resolve",
    "usable_precision",
]

"""What becomes of memory that tensors free."""

import torch

# Just below 32 MiB: glibc learns from no larger block.
_BLOCK = 2**25 - 2**16


def keep_freed_memory() -> None:
    """Lets the C library keep the memory that a step of training frees, for the next step.

    Left alone, glibc gives a few MiB that are free at once back to the system, which has to fill fresh pages with zeros
    when they are asked for again: up to a quarter of a step's time. It learns from the largest block that was ever
    freed, up to 32 MiB: blocks of that size it keeps from then on, and 64 MiB of free memory. So one block is taken and
    freed, and none of its pages touched. Other C libraries take no notice.
    """
    torch.empty(_BLOCK, dtype=torch.uint8)

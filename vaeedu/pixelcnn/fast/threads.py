"""How many threads the cached sampler's products are worth."""

import contextlib
from collections.abc import Iterator

import torch

# A thread waits for the others at the end of each product. Where other processes hold a processor, that takes as long
# as the system's scheduler likes, some milliseconds: a product must be large to be worth it (`benchmarks/pixelcnn.py`).
_WORTH_A_THREAD = 2**23  # multiplications, about a tenth of a millisecond


@contextlib.contextmanager
def suiting(multiplications: int) -> Iterator[None]:
    """Lets torch use no more threads than products of so many multiplications are worth; afterwards as many as before.

    The number belongs to the thread that asks: samplers in several threads of a process do not disturb each other.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, multiplications // _WORTH_A_THREAD)))
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Noise for a part of a batch, as if it had been drawn for the whole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from torch import Tensor


class _Shard(NamedTuple):
    start: int
    stop: int
    total: int


_SHARD: ContextVar[_Shard | None] = ContextVar("shard", default=None)


@contextmanager
def shard(start: int, stop: int, total: int) -> Iterator[None]:
    """Says that what follows sees the rows `start` … `stop` − 1 of a batch of `total` rows.

    Every draw in this module whose batch dimension has stop − start rows is then made for all `total` rows, and cut.
    So processes that share a batch, each with an equal generator, get the noise that one process with the whole batch
    would get, and their generators stay equal. The batch dimension is the first after `sample_shape`; a result whose
    batch dimension has another length is drawn as it is. So is `gamma`, which rejects some of its proposals: how much
    randomness a row takes depends on the row.

    Args:
        start: First row of this part.
        stop: One past its last row.
        total: Rows of the whole batch.

    Raises:
        ValueError: Not 0 ≤ start < stop ≤ total.

    >>> import torch
    >>> from vaeedu import sampling
    >>> whole = sampling.bernoulli(torch.full((5,), 0.5), generator=torch.Generator().manual_seed(0))
    >>> with sampling.shard(2, 5, 5):
    ...     part = sampling.bernoulli(torch.full((3,), 0.5), generator=torch.Generator().manual_seed(0))
    >>> bool((part == whole[2:]).all())
    True
    """
    if not 0 <= start < stop <= total:
        raise ValueError(
            f"start, stop, total must satisfy 0 <= start < stop <= total, but are {start}, {stop}, {total}: "
            "leave out the parts that have no rows"
        )
    token = _SHARD.set(_Shard(start, stop, total))
    try:
        yield
    finally:
        _SHARD.reset(token)


def noise(shape: tuple[int, ...], dim: int, make: Callable[[tuple[int, ...]], Tensor]) -> Tensor:
    """Returns `make(shape)`, or, within `shard`, this part of it made for the whole batch along `dim`."""
    part = _part(shape, dim)
    if part is None:
        return make(shape)
    whole = make((*shape[:dim], part.total, *shape[dim + 1 :]))
    return whole.narrow(dim, part.start, part.stop - part.start)


def noise_like(parameters: Tensor, dim: int, make: Callable[[Tensor], Tensor], *, fill: float) -> Tensor:
    """Returns `make(parameters)`, an elementwise draw, likewise; the other rows have `fill` as their parameter."""
    part = _part(tuple(parameters.shape), dim)
    if part is None:
        return make(parameters)
    shape = list(parameters.shape)
    shape[dim] = part.total
    whole = parameters.new_full(shape, fill)
    whole.narrow(dim, part.start, part.stop - part.start).copy_(parameters)
    return make(whole).narrow(dim, part.start, part.stop - part.start)


def _part(shape: tuple[int, ...], dim: int) -> _Shard | None:
    part = _SHARD.get()
    fits = part is not None and dim < len(shape) and shape[dim] == part.stop - part.start
    return part if fits else None

"""Several processes, started by `torchrun`, that share each batch.

Every process holds the same weights and the same data, and knows the same order of the examples. Of each batch it takes
its own part, and draws what that needs from a generator of its own; the gradients are added up, weighted by the parts'
sizes.
"""

import atexit
import os
from datetime import timedelta
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn

# A process that waits longer than this for another gives up: whoever started them learns of it.
_TIMEOUT = timedelta(minutes=10)


class Part(NamedTuple):
    """The rows `start` … `stop` − 1 of a batch, with the weight of their mean in the batch's."""

    start: int
    stop: int
    weight: float


class Team:
    """The processes that train together; often there is only one.

    Attributes:
        rank: Number of this process, from 0. Process 0 shows the bar and writes the checkpoints.
        size: How many there are.
        device: The one that falls to this process.
    """

    def __init__(self, rank: int, size: int, device: torch.device) -> None:
        self.rank, self.size, self.device = rank, size, device
        self._own = torch.Generator(device) if size > 1 else None

    def part(self, num_rows: int) -> Part:
        """Returns this process's part of a batch; parts differ by one row at most."""
        each, more = divmod(num_rows, self.size)
        start = self.rank * each + min(self.rank, more)
        stop = start + each + (self.rank < more)
        if start == stop:
            # Without a row there would be no loss, and a mean over nothing is NaN: compute one row, and ignore it.
            return Part(0, 1, 0.0)
        return Part(start, stop, (stop - start) / num_rows)

    def seed(self, shared: torch.Generator) -> int:
        """Returns what seeds an epoch's draws: the number that comes next in the shared generator.

        It is not taken from there: the orders of all epochs stay those that one process would draw.
        """
        if self.size == 1:
            return 0
        state = shared.get_state()
        number = int(torch.randint(2**62, (1,), generator=shared, device=shared.device))
        shared.set_state(state)
        return number

    def generator(self, shared: torch.Generator, seed: int, step: int) -> torch.Generator:
        """Returns the generator from which this process draws in a step, counted from the run's start.

        A process that is alone draws in turn from the shared one. One of several has its own, seeded by the epoch's
        seed, the step and its rank: so a run goes on bit for bit from any step, without its generator being stored.
        """
        if self._own is None:
            return shared
        return self._own.manual_seed(seed + step * self.size + self.rank)

    def add_up(self, parameters: list[nn.Parameter], weight: float, loss: Tensor, stop: bool) -> list[Tensor]:
        """Replaces the gradients by their weighted sum over the processes.

        All of it travels at once, as one vector.

        Returns:
            The weighted sum of the losses, and the number of processes that want to stop.
        """
        grads = [p.grad for p in parameters if p.grad is not None]
        numbers = torch.stack([loss * weight, torch.full_like(loss, stop)]).to(grads[0])
        flat = torch.cat([grad.reshape(-1) for grad in grads]).mul_(weight)
        flat = torch.cat([flat, numbers])
        dist.all_reduce(flat)
        *summed, loss, stops = flat.split([*[grad.numel() for grad in grads], 1, 1])
        for grad, total in zip(grads, summed, strict=True):
            grad.copy_(total.view_as(grad))
        return [loss[0], stops[0]]

    def share_weights(self, model: nn.Module) -> None:
        """Gives every process the weights of process 0."""
        if self.size > 1:
            for tensor in model.state_dict().values():
                dist.broadcast(tensor, src=0)

    def share(self, content: bytes | None) -> bytes | None:
        """Gives every process what process 0 has read."""
        if self.size == 1:
            return content
        box: list[Any] = [content]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def share_number(self, number: float) -> float:
        """Gives every process the number of process 0."""
        if self.size == 1:
            return number
        box = torch.tensor([number], dtype=torch.float64)
        dist.broadcast(box, src=0)
        return float(box)

    def share_state(self, state: Tensor) -> Tensor:
        """Gives every process the generator's state of process 0."""
        if self.size > 1:
            dist.broadcast(state, src=0)
        return state


def join(wanted: torch.device) -> Team:
    """Returns the team of this process; under CUDA each gets a device of its own.

    Under `torchrun` the processes are connected, unless they already are: by NCCL between GPUs, by Gloo between CPUs.
    """
    if not dist.is_available() or not (dist.is_initialized() or dist.is_torchelastic_launched()):
        return Team(0, 1, wanted)
    if wanted.type == "cuda":
        wanted = torch.device("cuda", int(os.environ.get("LOCAL_RANK", wanted.index or 0)))
        torch.cuda.set_device(wanted)
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if wanted.type == "cuda" else "gloo", timeout=_TIMEOUT)
        atexit.register(_leave)
    return Team(dist.get_rank(), dist.get_world_size(), wanted)


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()

"""Several processes that train together, played by threads: nothing has to be started."""

import threading

import pytest


class Together:
    """The calls of `torch.distributed` that training makes, between threads."""

    def __init__(self, size):
        self.size, self.barrier, self.boxes = size, threading.Barrier(size, timeout=60), [None] * size
        self.local = threading.local()

    def _exchange(self, value):
        self.boxes[self.local.rank] = value
        self.barrier.wait()
        values = list(self.boxes)
        self.barrier.wait()
        return values

    def all_reduce(self, tensor):
        tensor.copy_(sum(self._exchange(tensor.clone())))

    def broadcast(self, tensor, src):
        tensor.copy_(self._exchange(tensor.clone())[src])

    def broadcast_object_list(self, box, src):
        box[:] = self._exchange(list(box))[src]


def in_team(training, size, work):
    """Runs `work(rank)`, which calls `training.fit`, in so many threads that take each other for processes.

    Returns:
        What each returned.

    Raises:
        BaseException: The error of the lowest rank that ended with one of its own.
    """
    together, results, errors = Together(size), [None] * size, [None] * size
    team = training.devices.Team

    def run(rank):
        together.local.rank = rank
        try:
            results[rank] = work(rank)
        except BaseException as error:
            errors[rank] = error
            together.barrier.abort()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.devices.team, "dist", together)
        patch.setattr(training.devices, "join", lambda device: team(together.local.rank, size, device))
        threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    errors = [error for error in errors if error is not None]
    own = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)]
    if errors:
        raise (own or errors)[0]
    return results

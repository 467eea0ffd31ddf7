"""One submission's conversation with its sandbox: a cell goes in, its outputs come out, until the end or a limit."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence

from vaeedu_grader.sandbox.channel import Channel, Closed, Flood, Garbled, Late, Message
from vaeedu_grader.sandbox.launch import Prepared
from vaeedu_grader.sandbox.model import Cell, CellResult, Run
from vaeedu_grader.sandbox.outputs import Collector, take_count

_ENDS = ("ok", "error", "interrupted")
_LOOK_SECONDS = 0.2


class _Ended(Exception):  # noqa: N818 - an event, not an error
    """The run is over before its last cell; why, in Run.status's words."""

    def __init__(self, status: str, limit: str = "") -> None:
        super().__init__(status)
        self.status, self.limit = status, limit


class Session:
    """Runs cells in a prepared sandbox.

    Args:
        prepared: The sandbox; it must not have been used.
    """

    def __init__(self, prepared: Prepared) -> None:
        if prepared.used:
            raise ValueError(
                "prepared must be a sandbox that nothing has run in, but this one was used: make another"
            )
        prepared.used = True
        self._prepared, self._limits = prepared, prepared.limits
        self._channel: Channel = prepared.channel
        self._hit: dict[str, None] = {}
        self._room = self._limits.total_output_bytes
        self._end, self._next_look = 0.0, 0.0

    def run(self, cells: Sequence[Cell], files: Mapping[str, bytes]) -> Run:
        """Puts the files in place, and runs the cells one after another."""
        self._prepared.wait()
        start = time.monotonic()
        self._end = start + self._limits.wall_seconds
        results, status = [CellResult(cell.id) for cell in cells], "finished"
        try:
            with self._named_ends():
                for name, content in files.items():
                    self._channel.send("file", content, deadline=self._end, name=name)
            for number, (cell, result) in enumerate(zip(cells, results, strict=True)):
                self._run_cell(number, cell, result)
        except _Ended as ended:
            status = ended.status
            self._note(ended.limit)
            if status == "killed" and (limit := self._prepared.over()):
                status = "memory"  # it was the kernel that ended it
                self._note(limit)
        return Run(
            cells=tuple(results),
            status=status,
            limits_hit=tuple(self._hit),
            seconds=time.monotonic() - start,
            versions=self._prepared.versions,
            unsafe=self._prepared.unsafe,
        )

    def _run_cell(self, number: int, cell: Cell, result: CellResult) -> None:
        start = time.monotonic()
        collector = Collector(result, min(self._limits.output_bytes, self._room))
        before, result.status = collector.room, "ended"
        try:
            with self._named_ends():
                source = cell.source.encode("utf-8", "replace")
                self._channel.send("cell", source, deadline=self._end, cell=number, room=before)
                self._collect(number, collector, result, cell.seconds or self._limits.cell_seconds)
        finally:
            collector.finish()
            result.seconds = time.monotonic() - start
            self._room -= before - collector.room
            if collector.cut:
                self._note("output_bytes")

    def _collect(self, number: int, collector: Collector, result: CellResult, seconds: float) -> None:
        """Takes in messages until the cell is done; interrupts it when its time is up, and then ends the run."""
        deadline, interrupted = time.monotonic() + seconds, False
        while True:
            try:
                message = self._next(min(deadline, self._end))
            except Late:
                if interrupted or time.monotonic() >= self._end:
                    raise _Ended("timeout", "wall_seconds" if not interrupted else "grace_seconds") from None
                self._note("cell_seconds")
                interrupted, deadline = True, time.monotonic() + self._limits.grace_seconds
                self._channel.send("interrupt", deadline=deadline, cell=number)
                continue
            if message.header.get("cell") != number:
                continue  # a thread of an earlier cell's: too late to count for anything
            if message.header.get("kind") == "done":
                status = message.header.get("status")
                if status not in _ENDS:
                    raise Garbled("a status that is none")
                result.status = "interrupted" if interrupted else str(status)
                result.execution_count = take_count(message.header.get("count"))
                return
            collector.add(message)

    def _next(self, deadline: float) -> Message:
        """Waits for a message, and looks after the sandbox's memory meanwhile."""
        while True:
            now = time.monotonic()
            if now >= self._next_look:
                self._next_look = now + _LOOK_SECONDS
                limit = self._prepared.over()
                if limit:
                    raise _Ended("memory", limit)
            try:
                return self._channel.receive(deadline=min(deadline, self._next_look))
            except Late:
                if time.monotonic() >= deadline:
                    raise

    def _note(self, limit: str) -> None:
        if limit:
            self._hit[limit] = None

    @contextlib.contextmanager
    def _named_ends(self) -> Iterator[None]:
        """Turns what can happen to a channel into the end of the run, with its name."""
        try:
            yield
        except Closed:
            raise _Ended("killed") from None
        except Late:
            raise _Ended("timeout", "wall_seconds") from None
        except Flood:
            raise _Ended("output", "flood_bytes") from None
        except Garbled:
            raise _Ended("protocol") from None

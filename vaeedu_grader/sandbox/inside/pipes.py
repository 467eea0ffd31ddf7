"""The two pipes to the grader, and what takes the place of standard output and error.

A message is two lengths (4 bytes each), a small JSON object, and raw bytes.
"""

import codecs
import contextlib
import json
import os
import select
import signal
import struct
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

PIECE = 2**16

_HEADER = struct.Struct("!II")
_PIECES_AT_ONCE = 1000


class Wire:
    """The two pipes; what is sent is sent whole, whichever thread sends it."""

    def __init__(self) -> None:
        # Taken from where prints go: from here on nobody finds the pipes by their usual numbers.
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        self._lock = threading.RLock()
        self._owner, self.muted = os.getpid(), False
        self.cell, self.room, self.most_answer = -1, 0, 0

    def close_others(self) -> None:
        """Closes every file that was inherited, and leaves nothing to read where input comes from."""
        kept = [2, self._in.fileno(), self._out.fileno()]
        for number in set(range(4096)) - set(kept):
            with contextlib.suppress(OSError):
                os.close(number)
        os.open(os.devnull, os.O_RDONLY)  # becomes number 0, the lowest one free
        os.dup2(2, 1)

    def send(self, kind: str, body: bytes = b"", **header: object) -> None:
        """Sends a message about the cell that runs."""
        if self.muted or os.getpid() != self._owner:  # a fork's words would mix with its parent's
            return
        head = json.dumps({"kind": kind, "cell": self.cell, **header}).encode()
        data = memoryview(_HEADER.pack(len(head), len(body)) + head + body)
        with self._lock, uninterrupted():
            while data:
                data = data[self._out.write(data) :]

    def stream(self, name: str, text: str) -> None:
        """Sends text, and nothing more once the cell's share is used up."""
        data = text.encode("utf-8", "replace")
        for start in range(0, len(data), PIECE):
            if self.room < 0:
                return
            piece = data[start : start + PIECE]
            self.room -= len(piece)
            self.send("stream", piece, name=name)

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        """Waits for the next message; None when the other side is gone."""
        start = self._in.read(_HEADER.size)
        if len(start) < _HEADER.size:
            return None
        head, body = _HEADER.unpack(start)
        return json.loads(self._in.read(head)), self._in.read(body)


class Stream:
    """Takes the place of sys.stdout or sys.stderr; what a fork writes goes through the pipe under the number."""

    encoding, errors, closed = "utf-8", "replace", False

    def __init__(self, wire: Wire, name: str, number: int) -> None:
        self._wire, self.name, self._number, self._owner = wire, name, number, os.getpid()

    def write(self, text: str) -> int:
        """Sends the text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if os.getpid() == self._owner:
            self._wire.stream(self.name, text)
        else:
            os.write(self._number, text.encode("utf-8", "replace"))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Sends several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Does nothing: nothing is held back."""

    def isatty(self) -> bool:
        """Says that this is no terminal."""
        return False

    def writable(self) -> bool:
        """Says that it can be written to."""
        return True

    def readable(self) -> bool:
        """Says that it cannot be read."""
        return False

    def fileno(self) -> int:
        """Gives the number that other programs' output goes to."""
        return self._number


class Catcher:
    """Sends on what is written to a file number, as other programs do that a cell starts."""

    def __init__(self, wire: Wire, name: str, number: int) -> None:
        self._wire, self._name = wire, name
        self._read, write = os.pipe()
        os.dup2(write, number)
        os.close(write)
        self._lock = threading.Lock()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        threading.Thread(target=self._forward, daemon=True).start()

    def settle(self) -> None:
        """Sends on what has been written so far."""
        for _ in range(_PIECES_AT_ONCE):
            with self._lock:
                if not select.select([self._read], [], [], 0)[0] or not self._take():
                    return

    def _forward(self) -> None:
        while True:
            select.select([self._read], [], [])
            with self._lock:
                if select.select([self._read], [], [], 0)[0] and not self._take():
                    return

    def _take(self) -> bytes:
        data = os.read(self._read, PIECE)
        self._wire.stream(self._name, self._decoder.decode(data))
        return data


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Lets an interrupt wait until the block is done: half a message would make nonsense of all that follow."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

"""The trusted end of the two pipes: reads no more than it has room for, and waits no longer than it was told to."""

import json
import os
import select
import struct
import time
from dataclasses import dataclass
from typing import Any

_HEADER = struct.Struct("!II")
_MOST_HEADER = 4096
_CHUNK = 2**18


class Closed(Exception):  # noqa: N818 - an event, not an error
    """The other side is gone."""


class Late(Exception):  # noqa: N818
    """The time is up."""


class Garbled(Exception):  # noqa: N818
    """What arrived is no message, or too large for one."""


class Flood(Exception):  # noqa: N818
    """More has arrived than may be sent at all."""


@dataclass(frozen=True)
class Message:
    """A small JSON object and raw bytes."""

    header: dict[str, Any]
    body: bytes


class Channel:
    """Messages through two pipes, with limits on size and time.

    Args:
        write: The file number to write to; it is closed with the channel.
        read: The file number to read from; likewise.
        most_body: The largest message's bytes.
        most_total: All messages' bytes.
    """

    def __init__(self, write: int, read: int, *, most_body: int, most_total: int) -> None:
        self._write, self._read = write, read
        self._most_body, self._most_total, self._total = most_body, most_total, 0
        self._buffer = bytearray()
        self._open = True
        os.set_blocking(write, False)
        os.set_blocking(read, False)

    def send(self, kind: str, body: bytes = b"", *, deadline: float, **header: object) -> None:
        """Sends a message, or raises `Late` or `Closed`."""
        head = json.dumps({"kind": kind, **header}).encode()
        data = memoryview(_HEADER.pack(len(head), len(body)) + head + body)
        while data:
            _wait(deadline, write=self._write)
            try:
                data = data[os.write(self._write, data[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise Closed from error

    def receive(self, *, deadline: float) -> Message:
        """Waits for a message, or raises `Late`, `Closed`, `Garbled` or `Flood`."""
        while (message := self._taken()) is None:
            _wait(deadline, read=self._read)
            try:
                data = os.read(self._read, _CHUNK)
            except BlockingIOError:
                continue
            if not data:
                raise Closed
            self._total += len(data)
            if self._total > self._most_total:
                raise Flood
            self._buffer += data
        return message

    def close(self) -> None:
        """Closes both pipes."""
        if self._open:
            self._open = False
            os.close(self._write)
            os.close(self._read)

    def _taken(self) -> Message | None:
        if len(self._buffer) < _HEADER.size:
            return None
        head, body = _HEADER.unpack_from(self._buffer)
        if head > _MOST_HEADER or body > self._most_body:
            raise Garbled(f"a message of {head} and {body} bytes")
        start, end = _HEADER.size + head, _HEADER.size + head + body
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as view:
            header, content = bytes(view[_HEADER.size : start]), bytes(view[start:end])
        del self._buffer[:end]
        return Message(_object(header), content)


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Garbled("a header that is not JSON") from error
    if not isinstance(value, dict):
        raise Garbled("a header that is no object")
    return value


def _wait(deadline: float, *, read: int | None = None, write: int | None = None) -> None:
    left = deadline - time.monotonic()
    poll = select.poll()  # unlike select.select, it takes file numbers above 1023
    if read is not None:
        poll.register(read, select.POLLIN)
    if write is not None:
        poll.register(write, select.POLLOUT)
    if left <= 0 or not poll.poll(left * 1000):
        raise Late

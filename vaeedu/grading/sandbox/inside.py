"""The program inside a sandbox: an IPython that gets its cells through a pipe and sends their outputs through another.

It stands alone, knows no answers and decides nothing. Whatever a student does to it changes only what the student's own
cells are seen to put out.

A message is two lengths (4 bytes each), a small JSON object, and raw bytes.
"""

import base64
import builtins
import codecs
import contextlib
import json
import os
import queue
import resource
import select
import shutil
import signal
import struct
import sys
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

_HEADER = struct.Struct("!II")
_ANSWERS = "application/vnd.vaeedu.answers+json"
_PIECE = 2**16
_MOST_TEXT = 2**18
_PIECES_AT_ONCE = 1000


class Wire:
    """The two pipes; what is sent is sent whole, whichever thread sends it."""

    def __init__(self) -> None:
        # Taken from where prints go: from here on nobody finds the pipes by their usual numbers.
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self.cell, self.room = -1, 0

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
        if os.getpid() != self._owner:  # a fork's words would mix with its parent's
            return
        head = json.dumps({"kind": kind, "cell": self.cell, **header}).encode()
        data = memoryview(_HEADER.pack(len(head), len(body)) + head + body)
        with self._lock:
            while data:
                data = data[self._out.write(data) :]

    def stream(self, name: str, text: str) -> None:
        """Sends text, and nothing more once the cell's share is used up."""
        data = text.encode("utf-8", "replace")
        for start in range(0, len(data), _PIECE):
            if self.room < 0:
                return
            piece = data[start : start + _PIECE]
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
        data = os.read(self._read, _PIECE)
        self._wire.stream(self._name, self._decoder.decode(data))
        return data


def make_shell(wire: Wire) -> Any:
    """Makes the IPython whose outputs go through the wire."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets import Type
    from traitlets.config import Config

    def bundle(kind: str, data: Any, **header: object) -> None:
        parts = []
        for mime, value in data.items():
            if isinstance(value, bytes):
                value = base64.b64encode(value).decode()
            text = value if isinstance(value, str) else json.dumps(value)
            parts.append((str(mime), text.encode("utf-8", "replace")))
        answers = [content for mime, content in parts if mime == _ANSWERS]
        others = [(mime, content) for mime, content in parts if mime != _ANSWERS]
        for content in answers:
            wire.send("answers", content)
        if others and wire.room >= 0:
            wire.room -= sum(len(content) for _, content in others)
            sizes = [[mime, len(content)] for mime, content in others]
            wire.send(kind, b"".join(content for _, content in others), parts=sizes, **header)

    class Publisher(DisplayPublisher):
        def publish(self, data: Any, *arguments: Any, **others: Any) -> None:
            bundle("display", data)

        def clear_output(self, wait: bool = False) -> None:
            wire.send("clear")

    class Hook(DisplayHook):
        def write_output_prompt(self) -> None:
            pass

        def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
            bundle("result", format_dict, count=self.prompt_count)

        def finish_displayhook(self) -> None:
            self._is_active = False

    class Shell(InteractiveShell):
        displayhook_class, display_pub_class = Type(Hook), Type(Publisher)

        def enable_gui(self, gui: object = None) -> None:
            pass  # %matplotlib asks for it; there is no window to show anything in

        def _showtraceback(self, etype: type, evalue: object, stb: Any) -> None:
            report = {"ename": etype.__name__, "evalue": str(evalue)[:_PIECE]}
            lines = list(map(str, stb)) if isinstance(stb, (list, tuple)) else [str(stb)]
            while len(json.dumps([report, lines])) > _MOST_TEXT and lines:
                lines.pop(len(lines) // 2)
            wire.send("error", json.dumps({**report, "traceback": lines}).encode())

        def ask_exit(self) -> None:
            raise SystemExit

        def raw_input(self, prompt: str = "") -> str:
            return no_input(prompt)

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    return Shell.instance(config=config)


def no_input(prompt: object = "") -> str:
    """Takes input()'s place: nobody is there to answer."""
    raise EOFError("input() was called, but nobody is there to answer while work is graded")


class Kernel:
    """Runs one cell after another, and lets the running one be interrupted."""

    def __init__(self, wire: Wire, catchers: Sequence[Catcher]) -> None:
        self._wire, self._catchers, self._running = wire, catchers, False
        self._cells: queue.SimpleQueue[tuple[dict[str, Any], bytes]] = queue.SimpleQueue()
        self._shell = make_shell(wire)
        builtins.input = no_input

    def listen(self) -> None:
        """Hands on cells and files, and interrupts; ends the process when the other side is gone."""
        while (message := self._wire.receive()) is not None:
            header, body = message
            if header["kind"] != "interrupt":
                self._cells.put((header, body))
            elif self._running and header["cell"] == self._wire.cell:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        os._exit(0)

    def work(self) -> None:
        """Takes messages, one after another, for ever."""
        while True:
            try:
                header, body = self._cells.get()
                if header["kind"] == "file":
                    Path(header["name"]).write_bytes(body)
                else:
                    self._run(header, body.decode())
            except KeyboardInterrupt:
                continue

    def _run(self, header: dict[str, Any], source: str) -> None:
        wire = self._wire
        wire.cell, wire.room, self._running = header["cell"], header["room"], True
        status = "error"
        try:
            result = self._shell.run_cell(source, store_history=True)
            interrupted = isinstance(result.error_in_exec, KeyboardInterrupt)
            status = "ok" if result.success else "interrupted" if interrupted else "error"
        except KeyboardInterrupt:
            status = "interrupted"
        except BaseException as error:
            status = "error"
            report = {"ename": type(error).__name__, "evalue": "", "traceback": []}
            wire.send("error", json.dumps(report).encode())
        finally:
            self._running = False
            with contextlib.suppress(OSError, ValueError):  # a cell may have closed any file
                for catcher in self._catchers:
                    catcher.settle()
            wire.send("done", status=status, count=max(self._shell.execution_count - 1, 0))


def main() -> None:
    """Gets everything ready, says so, and waits for cells."""
    settings = json.loads(sys.argv[1])
    # Whoever started the sandbox may ignore Ctrl-C, and that is inherited: cells must be interruptible all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wire = Wire()
    wire.close_others()
    for folder in settings["paths"]:
        sys.path.insert(0, folder)
    sys.path.append("")  # last: a file that a student sends may be imported, but never in place of a library
    # matplotlib looks through all fonts once; here that was done before.
    shutil.copytree(settings["matplotlib"], os.environ["MPLCONFIGDIR"])
    for name in settings["imports"]:
        # What cannot be imported, the cell that wants it will be told.
        with contextlib.suppress(Exception):
            __import__(name)
    catchers = [Catcher(wire, "stdout", 1), Catcher(wire, "stderr", 2)]
    sys.stdout, sys.stderr = Stream(wire, "stdout", 1), Stream(wire, "stderr", 2)
    kernel = Kernel(wire, catchers)
    threading.Thread(target=kernel.listen, daemon=True).start()
    for kind, value in settings["resources"]:
        most = resource.getrlimit(kind)[1]
        lowest = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (lowest, lowest))
    versions = {name: version(name) for name in ("ipython", "numpy", "torch")}
    python = ".".join(map(str, sys.version_info[:3]))
    wire.send("hello", json.dumps({"python": python, **versions}).encode())
    kernel.work()


if __name__ == "__main__":
    main()

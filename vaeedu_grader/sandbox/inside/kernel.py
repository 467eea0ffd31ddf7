"""Runs one cell after another, as messages ask for it."""

import builtins
import contextlib
import json
import os
import queue
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import SEALED
from .pipes import Catcher, Stream, Wire
from .shell import make_shell, no_input

_IMPORTLIB = "<frozen importlib._bootstrap>"


class Kernel:
    """Runs one cell after another, and lets the running one be interrupted."""

    def __init__(self, wire: Wire, catchers: Sequence[Catcher]) -> None:
        self._wire, self._catchers, self._running = wire, catchers, False
        self._streams = {"stdout": sys.stdout, "stderr": sys.stderr}
        self._cells: queue.SimpleQueue[tuple[dict[str, Any], bytes]] = queue.SimpleQueue()
        self._shell = make_shell(wire)
        builtins.input = no_input

    def warm_up(self) -> None:
        """Stops once with an error that nobody hears of: the first one takes a while, for all that it imports."""
        self._wire.muted = True
        self._shell.run_cell("raise KeyboardInterrupt", store_history=False)
        self._wire.muted = False

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
                    Path(header["name"]).parent.mkdir(parents=True, exist_ok=True)
                    Path(header["name"]).write_bytes(body)
                else:
                    self._run(header, body.decode())
            except KeyboardInterrupt:
                continue

    def _run(self, header: dict[str, Any], source: str) -> None:
        wire = self._wire
        wire.cell, wire.room, self._running = header["cell"], header["room"], True
        for name, stream in self._streams.items():
            if not hasattr(
                getattr(sys, name, None), "flush"
            ):  # a cell has broken it, and IPython could not go on
                setattr(sys, name, stream)
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


def _seal(names: Sequence[str]) -> None:
    """Has no import answer for a sealed module, wherever a student has put another of that name.

    Unlike a finder among Python's own, which a cell could take away, a hook for audits stays. An `import` statement is
    audited by its name; `from … import` and `importlib` are not, but the code of a module that they load is.
    """

    def refuse(event: str, details: tuple[Any, ...]) -> None:
        if event == "import":
            loaded = [details[0]]
        elif event == "exec":
            loaded = _being_loaded()
        else:
            return
        for found in loaded:
            if any(f"{found}.".startswith(f"{name}.") for name in names):
                raise ImportError(SEALED.format(name=found))

    if names:
        sys.addaudithook(refuse)


def _being_loaded() -> list[object]:
    """The names of the modules that are being imported right now."""
    found: list[object] = []
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTLIB:
            names = frame.f_locals
            found += [names.get("name"), names.get("fullname"), getattr(names.get("spec"), "name", None)]
        frame = frame.f_back  # type: ignore[assignment]
    return found


def main() -> None:
    """Gets everything ready, says so, and waits for cells."""
    settings = json.loads(sys.argv[-1])
    # Whoever started the grader may have had interrupts ignored or put off, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    wire = Wire()
    wire.close_others()
    wire.most_answer = settings["answer_bytes"]
    sys.path.append("")  # last: a file that a student sends may be imported, but never in place of a library
    # matplotlib looks through all fonts once; here that was done before.
    shutil.copytree(settings["matplotlib"], os.environ["MPLCONFIGDIR"])
    for name in settings["imports"]:
        # What cannot be imported, the cell that wants it will be told.
        with contextlib.suppress(Exception):
            __import__(name)
    _seal(settings["sealed"])
    catchers = [Catcher(wire, "stdout", 1), Catcher(wire, "stderr", 2)]
    sys.stdout, sys.stderr = Stream(wire, "stdout", 1), Stream(wire, "stderr", 2)
    kernel = Kernel(wire, catchers)
    kernel.warm_up()
    threading.Thread(target=kernel.listen, daemon=True).start()
    for kind, value in settings["resources"]:
        most = resource.getrlimit(kind)[1]
        lowest = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (lowest, lowest))
    versions = {name: version(name) for name in ("ipython", "numpy", "torch")}
    python = ".".join(map(str, sys.version_info[:3]))
    wire.send("hello", json.dumps({"python": python, **versions}).encode())
    kernel.work()

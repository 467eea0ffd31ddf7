"""A process that has imported what submissions need, once, and of which each is a fork, in a sandbox of its own.

It runs outside of every sandbox, and no code of a student's. A student's code can read all of its memory: nothing may
ever be in it but what lies in a sandbox anyway. It has been started anew for one assignment, as the program inside
would be, and knows no answers, no names and no other submission.
"""

import contextlib
import ctypes
import functools
import gc
import json
import os
import signal
import socket
import sys
import traceback
from typing import Any

from . import join, kernel, warm
from .shown import Shown

_DIE_WITH_PARENT = 1
_MOST_REQUEST, _FILES = 2**16, 5


def main(shown: Shown) -> None:
    """Imports, and then forks whenever the socket asks for it, until nobody has its other end any more."""
    settings = json.loads(sys.argv[-1])
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != settings["parent"]:
        return  # it has ended meanwhile
    control = socket.socket(fileno=settings["control"])
    os.closerange(3, control.fileno())
    os.closerange(control.fileno() + 1, 4096)
    os.environ["MPLCONFIGDIR"] = settings["matplotlib"]
    os.environ["HOME"] = os.devnull  # what an import would write beside it cannot be written
    problem = _ready(shown, settings, control)
    while _serve(control, problem):
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _ready(shown: Shown, settings: dict[str, Any], control: socket.socket) -> str:
    """Imports; returns why there can be no forks, or nothing."""
    try:
        warm.warm(settings["imports"])
        shown.leave()
        _forget_places()
        os.environ.update(settings["environment"])
        gc.collect()
        _check_fit(control)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    gc.freeze()  # or a fork's first collection would copy all there is
    return ""


def _check_fit(control: socket.socket) -> None:
    """Raises a RuntimeError where a fork would lack something: it has one thread, and no open file but its pipes."""
    # A lock that another thread holds would stay locked in the fork for ever.
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("an import has started a thread")
    links = [f"/proc/self/fd/{number}" for number in range(3, 4096) if number != control.fileno()]
    if left := [os.readlink(link) for link in links if os.path.lexists(link)]:
        raise RuntimeError(f"an import has left a file open: {left[0]}")


def _forget_places() -> None:
    """Has matplotlib look again for its folders, which inside are others."""
    matplotlib = sys.modules.get("matplotlib")
    for name in ("get_configdir", "get_cachedir"):
        looks = getattr(getattr(matplotlib, name, None), "__wrapped__", None)
        if looks is not None:
            setattr(matplotlib, name, functools.cache(looks))


def _serve(control: socket.socket, problem: str) -> bool:
    """Forks for one request, or says why not; False when there will be none any more."""
    data, files, _, _ = socket.recv_fds(control, _MOST_REQUEST, _FILES)
    if not data:
        return False
    if problem:
        os.write(files[-1], json.dumps({"error": problem}).encode())
    elif os.fork() == 0:
        control.close()
        _go_inside(json.loads(data), files)
    for number in files:
        os.close(number)
    return True


def _go_inside(request: dict[str, Any], files: list[int]) -> None:
    """Goes into a sandbox, and starts the program there; says its number, or what went wrong."""
    *pipes, handle, answer = files
    try:
        os.setsid()
        for number, pipe in enumerate(pipes):
            os.dup2(pipe, number)
        join.enter(request["process"], handle, request["user"])
        child = os.fork()
        if child == 0:
            _run(request)
        os.write(answer, json.dumps({"process": child}).encode())
    except BaseException as error:
        os.write(answer, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        os._exit(1)
    # Only its parent can take it off the list, and only then can the sandbox end. Until then the pipe to the grader
    # stays open: a program that closes its own end has not ended.
    os.close(0)
    os.closerange(2, 4096)
    os.waitpid(child, 0)
    os._exit(0)


def _run(request: dict[str, Any]) -> None:
    """The program inside, in a process that has nothing left of where it comes from."""
    try:
        os.setsid()
        os.closerange(3, 4096)
        os.chdir(request["folder"])
        os.environ["PWD"] = request["folder"]
        join.give_up_all(request["settings"]["resources"], bytes.fromhex(request["filter"]))
        sys.argv = ["-c", json.dumps(request["settings"])]
        _draw_other_numbers()
        kernel.main()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _draw_other_numbers() -> None:
    """Has each fork draw its own random numbers, as programs do that have just been started."""
    for name in ("random", "numpy.random"):
        if name in sys.modules:
            sys.modules[name].seed()

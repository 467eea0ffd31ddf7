"""Ctrl-C that waits until the step is over."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.pressed = False


@contextmanager
def deferred(interrupt: Interrupt) -> Iterator[None]:
    """Notes the first Ctrl-C instead of raising `KeyboardInterrupt`; the second one raises it.

    An exception in the middle of an optimiser's step would leave some weights updated and others not. Outside the main
    thread, where Python allows no signal handlers, and where Ctrl-C is ignored anyway, nothing is changed.
    """

    def note(number: int, frame: FrameType | None) -> None:
        if interrupt.pressed:
            raise KeyboardInterrupt
        interrupt.pressed = True

    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

"""Processes that share one start-up: a server imports torch once, and each of them is a copy of it."""

import multiprocessing

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["torch"])


def start(target, *arguments):
    """Starts `target(*arguments, connection)` in a process; returns it, and the end from which one may receive."""
    here, there = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=target, args=(*arguments, there))
    process.start()
    there.close()
    return process, here


def end(process, connection):
    """Waits until the process has ended; returns its exit status, negative after a signal."""
    process.join()
    status = process.exitcode
    process.close()
    connection.close()
    return status

"""The `vaeedu` command: training and evaluating models, and whatever commands other installed packages add to it.

A package adds commands by an entry point of the group `vaeedu.commands`: a function that takes the parser's commands.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import entry_points
from typing import Any

import vaeedu
from vaeedu.cli import training
from vaeedu.terminal import written_anywhere


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns the exit code.

    It is 0 for success, 1 for marks that differ, 2 for an error, 130 for a training that Ctrl-C cut short, 141
    where whoever read the output has stopped reading.
    """
    options = _parser().parse_args(arguments)
    return written_anywhere(partial(_run, options))


def _run(options: argparse.Namespace) -> int:
    try:
        return int(options.run(options))
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("interrupted")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vaeedu",
        description="The vaeedu course from a shell: train and evaluate its models, and, where the grader is "
        "installed, release and grade its assignments.",
    )
    parser.add_argument("--version", action="version", version=f"vaeedu {vaeedu.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    training.add_commands(commands)
    _add_installed(commands)
    return parser


def _add_installed(commands: Any) -> None:
    """Adds other packages' commands; one that is registered but not there, as in a student's copy, adds none."""
    for entry in entry_points(group="vaeedu.commands"):
        try:
            add_commands = entry.load()
        except ModuleNotFoundError as error:
            if error.name != entry.module.partition(".")[0]:
                raise
        else:
            add_commands(commands)


def _fail(message: str) -> int:
    print(f"vaeedu: error: {' '.join(message.split())}", file=sys.stderr)
    return 2

"""The `vaeedu` command: reading the course, training models, and what other installed packages add to it.

A package adds commands by an entry point of the group `vaeedu.commands`: a function that takes the parser's commands.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import entry_points
from typing import Any

import vaeedu
from vaeedu.cli import evaluation, reading, training
from vaeedu.cli.parser import Parser
from vaeedu.terminal import written_anywhere


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns the exit code, as `--help` explains it."""
    parser = _parser()
    options, others = parser.parse_known_args(arguments)
    if hasattr(options, "passed_on"):
        options.passed_on = others
    elif others:
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    return written_anywhere(partial(_run, options))


def _run(options: argparse.Namespace) -> int:
    try:
        return int(options.run(options))
    except BrokenPipeError:
        raise
    except ConnectionError as error:
        return _fail(str(error), lines=True)
    except (ValueError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="vaeedu",
        description="The vaeedu course from a shell: read it, train and evaluate its models, and, where the grader is "
        "installed, release and grade its assignments.",
    )
    parser.add_argument("--version", action="version", version=f"vaeedu {vaeedu.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    reading.add_commands(parser, commands)
    training.add_commands(commands)
    evaluation.add_commands(commands)
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


def _fail(message: str, *, lines: bool = False) -> int:
    """Tells an error in one line, or in the lines that its message has: what to do, and then what happened."""
    told = message.splitlines() if lines else [message]
    print("vaeedu: error: " + "\n".join(" ".join(line.split()) for line in told), file=sys.stderr)
    return 2

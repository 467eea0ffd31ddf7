"""The `vaeedu` command: training and evaluating models, and what an instructor does with the course."""

import argparse
import sys
from collections.abc import Sequence

import vaeedu
from vaeedu.cli import teaching, training


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns the exit code.

    It is 0 for success, 1 for marks that differ, 2 for an error, 130 for a training that Ctrl-C cut short.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ValueError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("interrupted")
    except Exception as error:
        message = teaching.explained(error)
        if message is None:
            raise
        return _fail(message)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vaeedu",
        description="The vaeedu course from a shell: train and evaluate its models; release and grade its assignments.",
    )
    parser.add_argument("--version", action="version", version=f"vaeedu {vaeedu.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    training.add_commands(commands)
    teaching.add_commands(commands)
    return parser


def _fail(message: str) -> int:
    print(f"vaeedu: error: {' '.join(message.split())}", file=sys.stderr)
    return 2

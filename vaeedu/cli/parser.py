"""How all of the `vaeedu` command's parsers read a line: whole names only, and a guess at what a wrong one means."""

import argparse
from typing import Any

from vaeedu.course import did_you_mean

EXIT_CODES = (
    "Exit codes: 0 done; 1 done, but something is not right: marks that differ, an exercise that fails, a submission "
    "left out; 2 an error, told in a line; 130 stopped by Ctrl-C; 141 whoever read the output has stopped reading."
)


class Parser(argparse.ArgumentParser):
    """A parser whose commands' parsers are of this kind, too.

    A shortened option is refused, because it would mean something else as soon as another option begins like it.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"allow_abbrev": False, "epilog": EXIT_CODES, **settings})

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += did_you_mean(str(value), [str(choice) for choice in action.choices or ()])
            raise

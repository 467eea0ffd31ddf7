"""Makes `.venv` and installs the course in it: every target of the Makefile that needs it calls this first.

Usage: python3 tools/setup_env.py [--dev] [--lab | --check 03 | --test]
On Windows, which has no make: py tools/setup_env.py --lab

This file parses on every Python since 2.7, so that one that is too old gets a sentence and not a SyntaxError. What a
finished `.venv` is, and how it is made, stands in `environment.py` beside it.
"""

from __future__ import print_function

import os
import subprocess
import sys

SUPPORTED = ((3, 11), (3, 12), (3, 13), (3, 14))
PROBE = "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in %r)" % (SUPPORTED,)


def main():
    """Hands over to a Python that the course can use, this one if it can; returns the exit status."""
    # make exports PYTHON to its commands only where the user set it: the Makefile's own default stays with make.
    chosen_by_user = "PYTHON" in os.environ
    if sys.version_info[:2] not in SUPPORTED:
        other = None if chosen_by_user else find_supported()
        if other is None:
            print(complaint(sys.version_info), file=sys.stderr)
            return 2
        found = "%d.%d" % tuple(sys.version_info[:2])
        print("python3 is %s here: using %s" % (found, " ".join(other)))
        sys.stdout.flush()
        return hand_over(other + sys.argv)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import environment

    return environment.main(sys.argv[1:], chosen_by_user)


def find_supported(system=os.name):
    """Returns how to call a Python on this machine that the course can use, or None."""
    for version in reversed(SUPPORTED):
        # Windows has no python3.12 on the PATH, but a launcher that knows what is installed.
        call = ["py", "-%d.%d" % version] if system == "nt" else ["python%d.%d" % version]
        with open(os.devnull, "w") as nowhere:
            try:
                if subprocess.call(call + ["-c", PROBE], stdout=nowhere, stderr=nowhere) == 0:  # noqa: RUF005
                    return call
            except OSError:  # not there
                pass
    return None


def hand_over(command, system=os.name):
    """Runs another program in the place of this one; on Windows, which cannot, waits for it."""
    if system == "nt":
        return subprocess.call(command)
    return os.execvp(command[0], command)


def complaint(version_info, system=os.name):
    """Says in one line which Pythons will do, which one this is, and how to name another."""
    names = ["%d.%d" % version for version in SUPPORTED]
    example = "py -3.12 tools/setup_env.py --lab" if system == "nt" else "make lab PYTHON=python3.12"
    line = "vaeedu needs Python %s or %s; this is %d.%d: install one and name it, as in `%s`"
    return line % (", ".join(names[:-1]), names[-1], version_info[0], version_info[1], example)


if __name__ == "__main__":
    sys.exit(main())

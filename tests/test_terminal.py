"""What is printed reaches consoles of few characters, and does not mind who stops reading."""

import os
import subprocess
import sys

import pytest

from vaeedu.terminal import CLOSED

START = "import sys; from vaeedu.terminal import written_anywhere; sys.exit(written_anywhere(lambda: {}))"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_signs_that_a_console_has_not_are_written_as_codes(encoding):
    done = subprocess.run(
        [sys.executable, "-c", START.format("print('Jürgen ✗ kl') or sys.stderr.write('σ²') * 0")],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    assert done.stdout.rstrip() == "Jürgen ✗ kl".encode(encoding, "backslashreplace")
    assert done.stderr == "σ²".encode(encoding, "backslashreplace")


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_who_stops_ends_it_without_a_word(lines):
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(f"[print('line', i) for i in range({lines})] and 0")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (CLOSED, b"")


def test_the_commands_write_so():
    command = [sys.executable, "-c", "import sys; from vaeedu import cli; sys.exit(cli.main(['train', 'σ']))"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "UnicodeEncodeError" not in done.stderr
    check = [sys.executable, "-m", "vaeedu.cli", "check", "✗"]
    done = subprocess.run(
        check, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "UnicodeEncodeError" not in done.stderr

"""What `vaeedu grade` prints: how far it is, and then a table."""

import io

import pytest

from vaeedu_grader import table
from vaeedu_grader.marking.grade import Result
from vaeedu_grader.table import Progress, print_class

RESULTS = [
    Result("bob", "graded", {"a": 1.0}),
    Result("a\x1b[2Jda", "flagged", {"a": 0.5}, ("essay",), ("renamed", "moved")),
    Result("cem", "missing", {}, (), ("nothing submitted",)),
]


class Terminal(io.StringIO):
    """A standard error output that somebody looks at."""

    def isatty(self):
        return True


def grade(begin):
    begin(len(RESULTS))
    yield from RESULTS


def test_without_a_terminal_each_submission_has_a_line(capsys):
    assert print_class(grade) == 0
    out, err = capsys.readouterr()
    assert err == "1/3 bob: graded\n2/3 a\ufffd[2Jda: flagged\n"
    assert out.splitlines() == [
        "student  status    points  by hand  remarks",
        "a\ufffd[2Jda  flagged      0.5        1  renamed; moved",
        "bob      graded         1",
        "cem      missing        0           nothing submitted",
        "1 flagged, 1 graded, 1 missing",
    ]


def test_on_a_terminal_there_is_a_bar_with_the_total(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert print_class(grade) == 0
    assert "3/3" in terminal.getvalue()
    assert "bob: graded" not in terminal.getvalue()


@pytest.mark.parametrize(
    ("seconds", "total", "left"),
    [(10.0, 9, ", about 80 s left"), (30.0, 201, ", about 100 min left"), (10.0, 1, ""), (0.01, 50, "")],
)
def test_the_time_left_is_that_of_those_before(seconds, total, left, capsys):
    times = iter([0.0, seconds])
    progress = Progress(clock=lambda: next(times))
    progress.begin(total)
    progress.step(RESULTS[0])
    assert capsys.readouterr().err == f"1/{total} bob: graded{left}\n"


def test_a_failure_is_the_exit_code_and_an_error_closes_the_bar(monkeypatch):
    assert print_class(lambda begin: iter([Result("x", "failed", {})])) == 1

    def broken(begin):
        begin(2)
        yield RESULTS[0]
        raise ValueError("stopped")

    ended = []
    monkeypatch.setattr(table.Progress, "end", lambda progress: ended.append(progress))
    with pytest.raises(ValueError, match="stopped"):
        print_class(broken)
    assert len(ended) == 1

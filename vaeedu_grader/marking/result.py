"""What grading a class is asked for, and what it comes to: plain values, quick to import."""

from dataclasses import dataclass

# Raised whenever the same submission would be graded differently: all are graded again then.
VERSION = 4


@dataclass(frozen=True)
class Settings:
    """How a class is graded.

    Attributes:
        students: Whose submissions; None for everybody's.
        again: Those of them that are graded again, whatever is known of them.
        workers: How many processes of this machine work at a time.
        cluster: A Dask scheduler's address, to use instead; empty for none.
        unsafe: Whether to run without a sandbox.
        limits: The sandbox's limits that differ from the usual ones.
    """

    students: tuple[str, ...] | None = None
    again: tuple[str, ...] = ()
    workers: int = 1
    cluster: str = ""
    unsafe: bool = False
    limits: tuple[tuple[str, int | float], ...] = ()


@dataclass(frozen=True)
class Result:
    """What a student's submission came to.

    Attributes:
        student: Whose it is.
        status: "graded", "flagged", "rejected", "failed" or "missing".
        scores: Points by test cell and written answer, without those that wait for marking by hand.
        waiting: The names of what waits for marking by hand.
        reasons: What the instructor should know.
    """

    student: str
    status: str
    scores: dict[str, float]
    waiting: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The sum of the points given so far."""
        return sum(self.scores.values(), start=0.0)

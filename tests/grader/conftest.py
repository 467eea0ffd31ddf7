"""What several tests of the grader need."""

import time

import pytest


@pytest.fixture
def in_kiritimati(monkeypatch):
    """A machine fourteen hours ahead of UTC."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "Pacific/Kiritimati")
        time.tzset()
        yield
    time.tzset()

"""The log of public reports names tests that there are."""

import re

import pytest
from support.mini_course import ROOT

LOG = (ROOT / "docs" / "public-reports.md").read_text(encoding="utf-8")
ROWS = [line for line in LOG.splitlines() if line.startswith("| [")]


def test_there_are_as_many_rows_as_reports_were_looked_at():
    assert len(ROWS) >= 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[3:25])
def test_each_situation_has_its_reports_and_a_test_that_exists(row):
    reported, situation, here, test = row.strip("| ").split(" | ")
    assert re.findall(r"https://github\.com/[^)]+/(?:issues|pull)/\d+", reported)
    assert situation
    assert here
    path, name = re.fullmatch(r"`(tests/\S+\.py)::(\w+)`", test.strip()).groups()
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")

"""The report as a page that needs nothing else, and as a table: the page names nobody, the table is by student."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape

from vaeedu_grader.authoring.exercise import Exercise
from vaeedu_grader.intake.tables import spreadsheet_cell
from vaeedu_grader.report.findings import KINDS, Finding, of_exercise, unnamed

COLUMNS = (
    "student_id", "exercise", "points", "max_points", "result", "to_talk_about", "attempts", "handed_in",
)  # fmt: skip
_SHOWN_UNNAMED = 8
_WORDS = {
    "right": "right",
    "named": "a known mistake",
    "unnamed": "wrong, and no known mistake",
    "no values": "no values: an error, or no end",
    "unwritten": "not written",
}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; overflow-wrap: anywhere }
h2 { font-size: 1.25rem; margin-top: 2.5rem; border-top: 1px solid #ccc; padding-top: 1rem }
table { border-collapse: collapse; width: 100%; margin: .8rem 0 }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd }
td.number, th.number { text-align: right } td.number { white-space: nowrap } table.narrow { width: auto }
.bar { display: inline-block; height: .8em; background: #0072b2 }
pre { background: #f5f5f5; padding: .6rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem }
details { margin: .2rem 0 }
summary, a { cursor: pointer; color: #005a9c }
.wide { overflow-x: auto }
"""


def write_page(assignment: str, described: dict[str, Exercise], found: Sequence[Finding]) -> str:
    """Returns the page, HTML. Nothing on it runs or loads, and of the students there is code only."""
    students = len({finding.student for finding in found})
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{escape(assignment)}: what the class misunderstood</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(assignment)}: what the class misunderstood</h1>",
        f"<p>{_count(students, 'submission')} graded. Examples are code of the class, without comments.</p>",
        *_attempts(found),
        *_overview(described, found, students),
    ]
    for exercise in described.values():
        parts += _exercise(exercise, of_exercise(found, exercise.name), assignment)
    return "\n".join([*parts, "</main></body></html>\n"])


def write_table(described: dict[str, Exercise], found: Sequence[Finding]) -> str:
    """Returns what to talk about with whom, CSV."""
    table = io.StringIO(newline="")
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(COLUMNS)
    for finding in found:
        most = sum(described[finding.exercise].points.values())
        topic = " / ".join(finding.mistakes) or ("" if finding.kind == "right" else _WORDS[finding.kind])
        student = spreadsheet_cell(finding.student)
        marks = (f"{finding.points:g}", f"{most:g}", finding.kind, topic)
        rows.writerow((student, finding.exercise, *marks, finding.attempts or "", finding.handed_in))
    return table.getvalue()


def _attempts(found: Sequence[Finding]) -> Iterator[str]:
    """How many handed in how often, where that was counted."""
    counts = Counter({finding.student: finding.attempts for finding in found}.values())
    said = [f"{_count(n, 'time')} by {counts[n]}" for n in sorted(counts) if n]
    if said:
        yield f"<p>Handed in and graded: {', '.join(said)}.</p>"


def _overview(described: dict[str, Exercise], found: Sequence[Finding], students: int) -> Iterator[str]:
    yield (
        "<div class=wide tabindex=0 role=region aria-label='All exercises'><table><tr><th scope=col>exercise</th>"
        + "".join(f"<th scope=col class=number>{_WORDS[k]}</th>" for k in KINDS)
        + "</tr>"
    )
    for name in described:
        kinds = Counter(finding.kind for finding in of_exercise(found, name))
        cells = "".join(f"<td class=number>{_share(kinds[kind], students)}</td>" for kind in KINDS)
        yield f"<tr><th scope=row><a href='#{escape(name)}'>{escape(name)}</a></th>{cells}</tr>"
    yield "</table></div>"


def _exercise(exercise: Exercise, found: Sequence[Finding], assignment: str) -> Iterator[str]:
    most = sum(exercise.points.values())
    yield f"<h2 id='{escape(exercise.name)}'>{escape(exercise.name)} ({most:g} points)</h2>"
    yield (
        "<table class=narrow><tr><th scope=col class=number>points</th>"
        "<th scope=col class=number>students</th><td></td></tr>"
    )
    counts = Counter(finding.points for finding in found)
    for points in sorted(counts):
        width = 12 * counts[points] / len(found)
        bar = f"<span class=bar style='width:{width:.2f}rem'></span>"
        yield (
            f"<tr><td class=number>{points:g}</td><td class=number>{_share(counts[points], len(found))}</td>"
            f"<td>{bar}</td></tr>"
        )
    yield "</table>"
    yield from _named(found)
    yield from _unnamed(exercise.name, found, assignment)


def _named(found: Sequence[Finding]) -> Iterator[str]:
    counts = Counter(message for finding in found for message in finding.mistakes)
    if not counts:
        return
    yield "<table><tr><th scope=col class=number>students</th><th scope=col>mistake</th></tr>"
    for message, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        example = next((f.code for f in found if message in f.mistakes and f.code), "")
        shown = (
            f"<details><summary>an example</summary><pre>{escape(example)}</pre></details>" if example else ""
        )
        yield f"<tr><td class=number>{_share(count, len(found))}</td><td>{escape(message)}{shown}</td></tr>"
    yield "</table>"
    if any(len(finding.mistakes) > 1 for finding in found):
        yield "<p>Where several mistakes fit an answer, it counts for each.</p>"


def _unnamed(exercise: str, found: Sequence[Finding], assignment: str) -> Iterator[str]:
    answers = unnamed(found)
    if not answers:
        return
    yield f"<h3>Wrong, and no known mistake: {_count(sum(a.count for a in answers), 'answer')}</h3>"
    for number, answer in enumerate(answers[:_SHOWN_UNNAMED], start=1):
        times = "" if answer.count == 1 else f", {answer.count} times"
        yield (
            f"<details><summary>{number}{times}</summary><pre>{escape(answer.code)}</pre>"
            f"<p>It is told:</p><pre>{escape(answer.told)}</pre>"
            f"<p>To describe it as a mistake: <code>vaeedu new-wrong {escape(assignment)} {escape(exercise)} "
            f"{number}</code></p></details>"
        )
    if len(answers) > _SHOWN_UNNAMED:
        yield f"<p>and {len(answers) - _SHOWN_UNNAMED} more</p>"


def _share(count: int, of: int) -> str:
    return f"{count} ({100 * count / of:.0f} %)" if count else "–"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

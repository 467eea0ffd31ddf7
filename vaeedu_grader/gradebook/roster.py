"""A class's roster: a table of students, taken into the gradebook."""

from collections.abc import Sequence
from pathlib import Path

from traitlets.config import Config

from vaeedu_grader.gradebook.nbgrader import open_gradebook
from vaeedu_grader.intake.collect import Person
from vaeedu_grader.intake.tables import read_table

_OPTIONAL = ("last_name", "first_name", "email", "lms_user_id")
# They are folders' names, and a platform must find them again as they came.
_NOT_IN_IDS = set("/\\\0")


def read_roster(path: Path) -> list[Person]:
    """Reads a table with the column `id` and, where there are any, names, `email` and `lms_user_id`.

    Raises:
        ValueError: The file is no such table, an id cannot be a folder's name, or stands there twice; the message
            names the line.
    """
    people: dict[str, Person] = {}
    for row in read_table(path, required="id", optional=_OPTIONAL):
        student, where = row.values["id"], f"{path.name}, line {row.number}"
        if _NOT_IN_IDS & set(student) or student.startswith("."):
            raise ValueError(f"{where}: an id must do as a folder's name, but {student!r} does not")
        if student in people:
            raise ValueError(f"{where}: the id {student!r} must stand in one line, but stands in several")
        people[student] = Person(**row.values)
    if not people:
        raise ValueError(f"{path.name} must have a line for each student, but has none")
    return list(people.values())


def enrol(config: Config, people: Sequence[Person]) -> int:
    """Adds students to the gradebook; of those it knows, names and addresses become what the roster says, if it does.

    Returns:
        How many were new.
    """
    with open_gradebook(config) as gradebook:
        known = {student.id for student in gradebook.students}
        for person in people:
            said = {name: value for name in _OPTIONAL if (value := getattr(person, name))}
            gradebook.update_or_create_student(person.id, **said)
    return sum(person.id not in known for person in people)

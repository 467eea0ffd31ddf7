"""An assignment of a course, as every room of the grader has it: where its files lie, its exercises, its settings."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from vaeedu_grader.authoring.course import exercises_file, load_exercises
from vaeedu_grader.authoring.exercise import Exercise


def configuration(course: Path) -> Config:
    """Reads a course's `nbgrader_config.py`, without the hook that is for nbgrader's own command and button."""
    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    # It writes into the course; the grader bakes checks.json by itself, wherever it generates.
    del config.GenerateAssignment["post_convert_hook"]
    return config


@dataclass(frozen=True)
class Assignment:
    """One assignment of a course, and of the class that the course's configuration points to.

    Attributes:
        course: The course's folder.
        name: The assignment's name.

    Raises:
        ValueError: The course describes no such assignment.
    """

    course: Path
    name: str

    def __post_init__(self) -> None:
        exercises_file(self.course, self.name)

    @property
    def described(self) -> Path:
        """Its file in `exercises/`."""
        return exercises_file(self.course, self.name)

    @property
    def file(self) -> str:
        """Its notebook's name, which is the same wherever the notebook lies."""
        return f"{self.name}.ipynb"

    @property
    def source(self) -> Path:
        """The instructor's notebook."""
        return self.course / "solutions" / self.name / self.file

    @property
    def published(self) -> Path:
        """The notebook that students got, as `vaeedu release` last made it."""
        return self.course / "assignments" / self.name / self.file

    @cached_property
    def _loaded(self) -> tuple[dict[str, Exercise], tuple[str, ...]]:
        return load_exercises(self.described)

    @property
    def exercises(self) -> dict[str, Exercise]:
        """Its exercises by name."""
        return self._loaded[0]

    @property
    def sealed(self) -> tuple[str, ...]:
        """The library's modules that are absent while its submissions run."""
        return self._loaded[1]

    @cached_property
    def config(self) -> Config:
        """The course's nbgrader configuration, read once; whoever needs another setting changes a copy."""
        return configuration(self.course)

    @property
    def classroom(self) -> Path:
        """The class's folder; VAEEDU_CLASSROOM overrides the configured one."""
        directory = self.config.CourseDirectory
        return Path(directory.root, directory.submitted_directory).parent

    @property
    def released(self) -> Path:
        """The folder that students get. The course's own `assignments/` is for `vaeedu release`; a class has this."""
        return self.classroom / "released" / self.name

    @property
    def notebook(self) -> Path:
        """The notebook that the class's students get."""
        return self.released / self.file

    def submission(self, student: str) -> Path:
        """The folder that a student's submission belongs into."""
        return self.classroom / "submitted" / student / self.name

    def marked(self, student: str) -> Path:
        """A student's marked notebook."""
        return self.classroom / "autograded" / student / self.name / self.file

    def feedback(self, student: str) -> Path:
        """A student's feedback page."""
        return self.classroom / "feedback" / student / self.name / f"{self.name}.html"

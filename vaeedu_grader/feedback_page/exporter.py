"""The exporter that nbgrader makes feedback pages with here; `nbgrader_config.py` names it."""

import copy
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

from vaeedu_grader.feedback_page.formulas import with_formulas
from vaeedu_grader.pages import clean

_TEMPLATES = Path(__file__).parent / "templates"


class FeedbackExporter(HTMLExporter):
    """HTML by this course's template, whatever else is configured: the formgrader has a template of its own.

    Everything that a student wrote goes through `pages.clean`.
    """

    def __init__(self, config: Config | None = None, **settings: Any) -> None:
        config = copy.deepcopy(config) if config is not None else Config()
        config.HTMLExporter.template_name = "course_feedback"
        config.HTMLExporter.extra_template_basedirs = [str(_TEMPLATES)]
        super().__init__(config=config, **settings)
        self.register_filter("cleaned", clean)
        self.register_filter("formulas", with_formulas)

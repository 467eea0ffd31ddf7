"""What the course's pages need beyond Sphinx's extensions: the main part of a page is a landmark with a name."""

from typing import Any


def setup(app: Any) -> dict[str, bool]:
    """Registers nothing yet."""
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Text in Markdown that a notebook shows formatted, and a terminal as it is."""


class Markdown(str):
    """A piece of Markdown: as the last value of a notebook's cell it is shown formatted, elsewhere it is plain text.

    >>> Markdown("**N** = 3")
    **N** = 3
    """

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)

"""What whoever builds the site is told in one line."""


class SiteError(ValueError):
    """What was expected, what arrived, and how to mend it."""

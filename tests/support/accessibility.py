"""What axe-core says of a page."""

from collections import Counter

import pytest


def violations(page, context=None, only=None):
    """The rules that are broken, each with its impact and what breaks it; of all rules, or `only` of some."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is absent"
    )
    # No rule that is asked for needs style sheets fetched a second time, and from a disk they cannot be.
    # What is in order need not be described, which takes as long as to look at it.
    options = {"preload": False, "resultTypes": ["violations"]}
    if only:
        options["runOnly"] = {"type": "rule", "values": list(only)}
    found = axe.Axe().run(page, context=context, options=options).response["violations"]
    return [(each["impact"], each["id"], [node["html"][:160] for node in each["nodes"]]) for each in found]


def assert_nobody_is_shut_out(found, what):
    counts = Counter(impact for impact, _, nodes in found for _ in nodes)
    print(what, dict(counts), *found, sep="\n  ")
    assert [each for each in found if each[0] in ("serious", "critical")] == []

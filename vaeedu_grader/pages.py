"""What a student has written, as a web page may show it: text, formulas, tables, pasted pictures; nothing that runs."""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any

from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import Cleaner

_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "ol", "p", "pre", "s", "span"),
    *("strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
}
# The only pictures are those pasted into the notebook: an address would be called by whoever marks the answer.
_PICTURE = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]*")
# Commands of MathJax that make links, name or style elements, or load more of it.
_FORMULA = re.compile(r"\\+(?=(?:bbox|class|cssId|data|href|mmlToken|require|style|unicode)(?![A-Za-z]))")
_ENTITY = re.compile(r"&#?[0-9A-Za-z]+;?")
# Those that colour code and mark headings; the page's own would let a text cover the page, or look like a part of it.
_CLASSES = re.compile(r"highlight|anchor-link|[a-z][a-z0-9]{0,2}")
# How a table's columns are aligned.
_STYLE = CSSSanitizer(allowed_css_properties=["text-align"])


def clean(html: str) -> str:
    """Removes from a page's part all that could run, load, or cover something else.

    nbgrader's pages show text cells as they are; `nbgrader_config.py` puts this filter behind them.

    Args:
        html: A cell's text, already HTML.

    Returns:
        The same text. Tags that are not allowed are shown as text, attributes that are not allowed are gone.

    >>> clean('<p onclick="x()">Yes, <b>really</b>: $p < q$<script>alert(1)</script></p>')
    '<p>Yes, <b>really</b>: $p &lt; q$&lt;script&gt;alert(1)&lt;/script&gt;</p>'
    """
    cleaner = Cleaner(
        tags=_TAGS,
        attributes=_is_allowed,
        protocols={"http", "https", "mailto", "data"},
        filters=[_spaced],
        css_sanitizer=_STYLE,
    )
    # Last, and with entities resolved: MathJax reads what the browser makes of the page.
    return _FORMULA.sub("", _ENTITY.sub(_resolved, cleaner.clean(str(html))))


def _resolved(entity: re.Match[str]) -> str:
    """The character that an entity stands for, unless HTML needs it to be written as one."""
    text = unescape(entity[0])
    return entity[0] if set(text) & set("&<>\"'") else text


def _spaced(source: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Gives tables the look that the pages have for them: without it, columns touch, and 1 and 0.5 read as 10.5."""
    for token in source:
        if token["type"] == "StartTag" and token["name"] == "table":
            token["data"] = {(None, "class"): "table", (None, "style"): "width: auto"}
        yield token


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if name == "src":
        return tag == "img" and _PICTURE.fullmatch(value) is not None
    if name == "href":
        return tag == "a" and not value.strip().lower().startswith("data:")
    if name == "style":
        return tag in ("td", "th")
    if name == "class":
        return all(_CLASSES.fullmatch(one) for one in value.split())
    return name in ("alt", "title", "colspan", "rowspan", "start", "width", "height")

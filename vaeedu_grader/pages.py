"""What a student has written, as a web page may show it: text, formulas, tables, pasted pictures; nothing that runs."""

import re
from html import unescape

import nh3
import tinycss2

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
# The look that nbgrader's pages have for tables: without it, columns touch, and 1 and 0.5 read as 10.5.
_TABLE = '<table class="table" style="width: auto">'
_ATTRIBUTES = {
    *("alt", "class", "colspan", "height", "href", "rowspan"),
    *("src", "start", "style", "title", "width"),
}
_ALIGNMENTS = {"left", "right", "center", "justify", "start", "end"}
# A "<" that begins neither an allowed tag, which a ">" ends somewhere, nor a comment.
_NO_TAG = re.compile(rf"<(?!!--|/?(?:{'|'.join(sorted(_TAGS))})[\s/>])", re.IGNORECASE)


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
    # In what nh3 gives, each "<" begins a tag; and its tables have no attributes.
    cleaned = _CLEANER.clean(_with_other_tags_as_text(str(html))).replace("<table>", _TABLE)
    # Last, and with entities resolved: MathJax reads what the browser makes of the page.
    return _FORMULA.sub("", _ENTITY.sub(_resolved, cleaned))


def _with_other_tags_as_text(html: str) -> str:
    """Writes "<" as "&lt;" where no allowed tag begins: nh3 takes other tags away, and `List<int>` would be `List`."""
    html = html.encode(errors="replace").decode()  # half a surrogate pair is no character
    end = html.rfind(">") + 1
    return _NO_TAG.sub("&lt;", html[:end]) + html[end:].replace("<", "&lt;")


def _resolved(entity: re.Match[str]) -> str:
    """The character that an entity stands for, unless HTML needs it to be written as one."""
    text = unescape(entity[0])
    return entity[0] if set(text) & set("&<>\"'") else text


def _allowed_value(tag: str, name: str, value: str) -> str | None:
    """What remains of an attribute's value; None takes the attribute away."""
    if tag == "table":
        return None
    if name == "style":
        return _alignment(value) if tag in ("td", "th") else None
    return value if _is_allowed(tag, name, value) else None


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if name == "src":
        return tag == "img" and _PICTURE.fullmatch(value) is not None
    if name == "href":
        return tag == "a" and not value.strip().lower().startswith("data:")
    if name == "class":
        return all(_CLASSES.fullmatch(one) for one in value.split())
    return True


def _alignment(style: str) -> str | None:
    """How a table's column is aligned, and nothing else of a style."""
    found = tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True)
    kept = [one for one in found if one.type == "declaration" and one.lower_name == "text-align"]
    words = [token.lower_value for one in kept for token in one.value if token.type == "ident"]
    return f"text-align: {words[-1]};" if words and words[-1] in _ALIGNMENTS else None


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=set(),
    attributes={"*": _ATTRIBUTES},
    attribute_filter=_allowed_value,
    link_rel=None,
    url_schemes={"http", "https", "mailto", "data"},
)

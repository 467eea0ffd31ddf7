"""Formulas as MathML, which browsers show and screen readers read: the page needs neither a script nor a network."""

import re
import unicodedata
import xml.etree.ElementTree as ET
from html import escape, unescape
from html.parser import HTMLParser

from latex2mathml.converter import convert

_DISPLAYED = (
    r"\$\$(?P<dollars>.+?)\$\$|\\\[(?P<brackets>.+?)\\\]|(?P<block>\\begin\{(\w+\*?)\}.+?\\end\{\4\})"
)
_INLINE = r"\\\((?P<round>.+?)\\\)|(?<![\\$])\$(?P<dollar>[^\s$](?:[^$]*?[^\s\\$])?)\$(?!\d)"
_FORMULA = re.compile(f"{_DISPLAYED}|{_INLINE}", re.DOTALL)
# The converter knows no size of a delimiter that is a command, such as \big\|, and no escaped sign in text.
_SIZE = re.compile(r"\\[bB]igg?[lrm]?\s*(?=\\)")
_SIGN = re.compile(r"\\([_#%&])")
_MOST = 4000
_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
_TAGS = {
    *(
        "math",
        "menclose",
        "mfrac",
        "mi",
        "mn",
        "mo",
        "mover",
        "mpadded",
        "mphantom",
        "mroot",
        "mrow",
        "mspace",
    ),
    *("msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover"),
}
_ATTRIBUTES = {
    *(
        "accent",
        "accentunder",
        "columnalign",
        "columnlines",
        "columnspacing",
        "display",
        "displaystyle",
        "fence",
    ),
    *("form", "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "notation"),
    *("rowlines", "rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "width"),
}
# Browsers know no other letters than those that Unicode has.
_LETTERS = {
    "double-struck": ("MATHEMATICAL DOUBLE-STRUCK", "DOUBLE-STRUCK"),
    "script": ("MATHEMATICAL SCRIPT", "SCRIPT"),
    "fraktur": ("MATHEMATICAL FRAKTUR", "BLACK-LETTER"),
    "bold": ("MATHEMATICAL BOLD",),
    "bold-italic": ("MATHEMATICAL BOLD ITALIC",),
}
_NO_SPACE = set("([{,.;:)]}|‖∥!=")
_CODE = ("pre", "code")


def with_formulas(html: str) -> str:
    """Writes the formulas in the text of a page's part as MathML; those in code stay as they are.

    Args:
        html: As `pages.clean` gives it.

    Returns:
        The same. A formula that cannot be converted is shown as it was written, as code.

    >>> with_formulas("<p>Let $x$ be <code>$y$</code>.</p>")
    '<p>Let <math ...><mrow><mi>x</mi></mrow></math> be <code>$y$</code>.</p>'
    """
    parser = _Parser()
    parser.feed(html)
    parser.close()
    parser.end_text()
    return "".join(parser.made)


class _Parser(HTMLParser):
    """Takes a page's part to pieces, and writes all but the formulas as it was."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.made: list[str] = []
        self._text: list[str] = []
        self._code = 0

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_entityref(self, name: str) -> None:
        self._text.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._text.append(f"&#{name};")

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.end_text()
        self._code += tag in _CODE
        self.made.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.end_text()
        self.made.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.end_text()
        self._code -= tag in _CODE
        self.made.append(f"</{tag}>")

    def end_text(self) -> None:
        """Writes the text since the last tag."""
        text = "".join(self._text)
        self._text.clear()
        self.made.append(text if self._code else _FORMULA.sub(_converted, text))


def _converted(found: re.Match[str]) -> str:
    displayed = found["dollars"] or found["brackets"] or found["block"]
    tex = unescape(displayed or found["round"] or found["dollar"])
    try:
        return _mathml(tex, "block" if displayed else "inline")
    except Exception:  # whatever the converter makes of what students write
        return f"<code>{escape(unescape(found[0]))}</code>"


def _mathml(tex: str, display: str) -> str:
    if len(tex) > _MOST:
        raise ValueError("the formula is too long")
    plain = _SIGN.sub(r"\1", _SIZE.sub("", tex)).replace("{align}", "{align*}")  # without numbers
    root = ET.fromstring(convert(plain, display=display))
    for element in root.iter():
        element.tag = element.tag.removeprefix(_NAMESPACE)
        if element.tag not in _TAGS:
            raise ValueError(f"{element.tag} is not shown")
        element.attrib = {k: v for k, v in element.attrib.items() if k in _ATTRIBUTES}
        _write_letters(element)
    if "\\" in "".join(root.itertext()):
        raise ValueError("a command is not known")
    for element in list(root.iter()):
        _space_functions(element)
    root.set("alttext", tex)
    if display == "block":
        root.set("tabindex", "0")  # on a narrow screen it scrolls: by the arrow keys, once Tab leads there
    return ET.tostring(root, encoding="unicode")


def _write_letters(element: ET.Element) -> None:
    families = _LETTERS.get(element.attrib.get("mathvariant", ""))
    if families and element.text:
        element.text = "".join(_letter(character, families) for character in element.text)
        del element.attrib["mathvariant"]


def _letter(character: str, families: tuple[str, ...]) -> str:
    """The letter of a family; as it is, where Unicode has none."""
    name = (
        unicodedata.name(character, "").removeprefix("LATIN ").removeprefix("GREEK ").replace("LETTER ", "")
    )
    for family in families:
        try:
            return unicodedata.lookup(f"{family} {name}")
        except KeyError:
            continue
    return character


def _space_functions(row: ET.Element) -> None:
    """Puts a thin space behind a function's name, as in log p, where no bracket follows."""
    for place in reversed(range(len(row) - 1)):
        base, following = row[place], row[place + 1]
        while len(base):  # a name with an index
            base = base[0]
        is_name = base.tag in ("mi", "mo") and (base.text or "").isascii() and len(base.text or "") > 1
        if row.tag in ("mrow", "math", "mtd") and is_name and (following.text or "x")[0] not in _NO_SPACE:
            row.insert(place + 1, ET.Element("mspace", {"width": "0.17em"}))

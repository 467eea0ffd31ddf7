"""Do the built pages' links lead somewhere, and does anything in them come from another machine?"""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "audio": "src",
    "video": "src",
}
NO_LOAD = {
    "canonical",
    "author",
    "license",
    "next",
    "prev",
    "index",
    "search",
    "help",
}  # kinds of <link> that load nothing


class _Page(HTMLParser):
    """A page's anchors, where its links lead, and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.without_alt: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {given[name] or "" for name in ("id", "name") if name in given}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        if tag == "img" and not (given.get("alt") or "").strip():
            self.without_alt.append(given.get("src") or "")
        if tag in LOADED and given.get(LOADED[tag]) and not NO_LOAD & set((given.get("rel") or "").split()):
            self.loaded.append(given[LOADED[tag]] or "")


def broken(site: Path) -> list[str]:
    """Returns a line for each link, anchor or loaded file that is not there, or that lies on another machine."""
    pages = {path: _read(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}
    return [line for path, page in pages.items() for line in _faults(site, path, page, pages)]


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    return page


def _faults(site: Path, path: Path, page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    here = path.relative_to(site)
    for address in page.loaded:
        if urlsplit(address).scheme in ("http", "https") or address.startswith("//"):
            yield f"{here}: loads {address} from another machine"
    for address in page.without_alt:
        yield f"{here}: the picture {address[:60]} has no alternative text"
    for address in {*page.links, *page.loaded}:
        parts = urlsplit(address)
        if parts.scheme or address.startswith("//"):
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if target.is_dir():
            target /= "index.html"
        if not target.is_file():
            yield f"{here}: {address} leads nowhere"
        elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"{here}: {address} leads to a page that has no such place"

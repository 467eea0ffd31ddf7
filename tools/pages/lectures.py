"""Lectures and assignments as pages: figures as files, widgets as films, the code that only draws folded."""

import base64
import copy
import hashlib
import html
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image

from pages import executed

VIEW = "application/vnd.jupyter.widget-view+json"
DATA = re.compile(r"data:(image/png|image/jpeg|audio/wav|audio/x-wav|audio/mpeg);base64,([A-Za-z0-9+/=\s]+)")
ADDRESS = re.compile(r"<[\w. ]+ at 0x[0-9a-f]+>")
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "audio/mpeg": ".mp3"}
NOT_RUN = """:::{warning}
The outputs of this lecture are not here: it was left out when this copy of the site was built.
Run `make site` without `--lectures`.
:::
"""
NEEDS_A_KERNEL = (
    '<p class="needs-a-kernel">Here it stands as the run left it. To use it, open this lecture with '
    "<code>make lab</code>.</p>"
)
ONE_AT_A_TIME = "On this page one slider moves at a time: when you move another, the first goes back."
FEWER_STOPS = "On this page the sliders have fewer stops than in the notebook."


class Files:
    """Where figures, sounds and frames go: files named by what is in them, so that none is there twice."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder, self.prefix = folder, prefix
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, content: bytes, suffix: str) -> str:
        """Writes a file, and returns its address as a page sees it."""
        name = hashlib.sha256(content).hexdigest()[:20] + suffix
        path = self.folder / name
        if not path.exists():
            path.write_bytes(content)
        return f"{self.prefix}/{name}"


def page(source: Any, run: Any | None, files: Files) -> Any:
    """Returns the notebook of a lecture's page.

    Args:
        source: The lecture without outputs.
        run: The same with outputs; None where it was not run.
        files: Where its figures go.
    """
    notebook = copy.deepcopy(source if run is None else run)
    films = notebook.metadata.get("vaeedu", {}).pop("films", {})
    state = notebook.metadata.pop("widgets", {}).get(executed.STATE, {}).get("state", {})
    left = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shown = [_output(output, films, files, left) for output in cell.outputs if _is_shown(output)]
            cell.outputs = [output for outputs in shown for output in outputs]
            tidy_tags(cell)
    if left:
        notebook.metadata["widgets"] = {
            executed.STATE: {**executed.STATE_VERSION, "state": reachable(state, left)}
        }
    if run is None:
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(NOT_RUN))
    return notebook


def _is_shown(output: Any) -> bool:
    """Nobody reads blank lines, or where in its memory a computer had an object."""
    if output.output_type == "stream":
        return bool(output.text.strip())
    data = output.get("data", {})
    return set(data) != {"text/plain"} or ADDRESS.fullmatch(data["text/plain"]) is None


def tidy_tags(cell: Any) -> None:
    """Folds a cell that only draws: its figure stays, its code opens on demand."""
    hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
    tags = set(cell.metadata.get("tags", []))
    cell.metadata = nbformat.NotebookNode(tags=sorted(tags | {"hide-input"} if hidden else tags))


def _output(output: Any, films: dict, files: Files, left: list[str]) -> list[Any]:
    """Returns what a page has for an output; adds a widget without a film to those that are `left`."""
    if "data" not in output:
        return [output]
    data = output.data
    if VIEW in data:
        model = data[VIEW]["model_id"]
        if model in films:
            shown = film(films[model], files)
        else:
            left.append(model)
            return [nbformat.v4.new_output("display_data", {VIEW: data[VIEW]}), _html(NEEDS_A_KERNEL)]
    elif "text/html" in data:
        shown = with_files(data["text/html"], files)
    elif "image/png" in data:
        raise ValueError("a picture without alternative text: show it with plotting.show(figure, alt=…)")
    elif "text/markdown" in data:  # its links are not looked at by Sphinx
        data["text/markdown"] = re.sub(r"(\]\([^)\s]+)\.ipynb\)", r"\1.html)", data["text/markdown"])
        return [output]
    else:
        return [output]
    return [_html(shown)]


def _html(text: str) -> Any:
    return nbformat.v4.new_output("display_data", {"text/html": text})


def with_files(text: str, files: Files) -> str:
    """Takes pictures and sounds out of an output's HTML, where each byte costs four thirds of one."""

    def as_file(match: re.Match) -> str:
        content = base64.b64decode(match[2])
        address = files.keep(content, SUFFIXES.get(match[1], ".wav"))
        if not match[1].startswith("image"):
            return address
        width, height = Image.open(io.BytesIO(content)).size
        return f'{address}" width="{width}" height="{height}" loading="lazy'

    text = DATA.sub(as_file, text)
    return text.replace("<img style=", '<img class="figure" style=')


def film(recorded: dict, files: Files) -> str:
    """Returns the HTML of a widget that moves without a kernel: a picture, and what `film.js` makes controls from."""
    packed = [base64.b64decode(picture) for picture in recorded["pictures"]]
    addresses = [files.keep(picture, ".webp") for picture in packed]
    width, height = Image.open(io.BytesIO(packed[0])).size
    film = {name: value for name, value in recorded.items() if name != "pictures"}
    notes = []
    if recorded["kind"] == "sliders" and not recorded["together"]:
        notes.append(ONE_AT_A_TIME)
    if recorded.get("thinned"):
        notes.append(FEWER_STOPS)
    film |= {"frames": addresses, "note": " ".join(notes)}
    picture, text, alt = first_frame(recorded)
    about = json.dumps(film).replace("</", "<\\/")  # or a caption's end tag would end the script
    alt = html.escape(f"{recorded['alt']} {alt}".strip())
    return (
        f'<div class="film" data-kind="{recorded["kind"]}"><div class="film-controls"></div>'
        f'<div class="film-shown"><img class="figure" src="{addresses[picture]}" alt="{alt}" '
        f'width="{width}" height="{height}"><p class="film-caption" aria-live="polite">{text}</p></div>'
        f'<script type="application/json">{about}</script></div>'
    )


def first_frame(recorded: dict) -> tuple[int, str, str]:
    """Returns what a film begins with: the picture, the caption, and what the picture shows."""
    if recorded["kind"] == "sliders":
        start = [slider["start"] for slider in recorded["sliders"]]
    else:
        start = [recorded["start"]]
    ((picture, text),) = [(picture, text) for places, picture, text in recorded["shown"] if places == start]
    return picture, recorded["texts"][text], recorded["alts"][text]


def reachable(state: dict, roots: list[str]) -> dict:
    """Returns the part of the widgets' state that some of them need."""
    found: dict[str, Any] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in state and name not in found:
            found[name] = state[name]
            waiting += re.findall(r"IPY_MODEL_(\w+)", json.dumps(state[name]["state"]))
    return found


def lead_to(notebook: Any, address: str, words: str, place: int) -> None:
    """Adds a line with a link to a notebook's page, unless the notebook has that link itself.

    Args:
        notebook: It is changed.
        address: Where the link leads.
        words: The line, with `{}` in the address's place.
        place: Before which cell it stands.
    """
    if not any(f"]({address}" in cell.source for cell in notebook.cells if cell.cell_type == "markdown"):
        notebook.cells.insert(place, nbformat.v4.new_markdown_cell(words.format(address)))


def headings(notebook: Any) -> list[tuple[int, str, str]]:
    """Returns each section of a notebook: the heading's level, the heading, and the text below it."""
    found: list[list[Any]] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            fenced = False
            for line in cell.source.splitlines():
                fenced ^= line.startswith("```")
                match = None if fenced else re.match(r"(#+) (.*)", line)
                if match:
                    found.append([len(match[1]), match[2].strip(), ""])
                elif found:
                    found[-1][2] += line + "\n"
    return [(level, title, text) for level, title, text in found]


def section(notebook: Any, wanted: Callable[[str], bool]) -> str:
    """Returns the text of the only section whose heading is the one wanted."""
    (text,) = [text for _, title, text in headings(notebook) if wanted(title)]
    return text

"""An IPython whose values, pictures and errors go through the wire, and that asks nobody anything."""

import base64
import json
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from vaeedu.feedback.wire import MIME

from .pipes import PIECE, Wire

_MOST_TEXT = 2**18


def make_shell(wire: Wire) -> Any:
    """Makes the IPython whose outputs go through the wire."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    _Shell.wire = wire
    return _Shell.instance(config=config)


class _Publisher(DisplayPublisher):
    shell: Any

    def publish(self, data: Any, metadata: Any = None, *arguments: Any, **others: Any) -> None:
        _send(self.shell.wire, "display", _described(data, metadata))

    def clear_output(self, wait: bool = False) -> None:
        self.shell.wire.send("clear")


class _Hook(DisplayHook):
    shell: Any

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        _send(self.shell.wire, "result", _described(format_dict, md_dict), count=self.prompt_count)

    def finish_displayhook(self) -> None:
        self._is_active = False


class _Shell(InteractiveShell):
    wire: Wire
    displayhook_class, display_pub_class = Type(_Hook), Type(_Publisher)

    def enable_gui(self, gui: object = None) -> None:
        pass  # %matplotlib asks for it; there is no window to show anything in

    def _showtraceback(self, etype: type, evalue: object, stb: Any) -> None:
        report = {"ename": etype.__name__, "evalue": str(evalue)[:PIECE]}
        lines = list(map(str, stb)) if isinstance(stb, (list, tuple)) else [str(stb)]
        while len(json.dumps([report, lines])) > _MOST_TEXT and lines:
            lines.pop(len(lines) // 2)
        self.wire.send("error", json.dumps({**report, "traceback": lines}).encode())

    def ask_exit(self) -> None:
        raise SystemExit

    def raw_input(self, prompt: str = "") -> str:
        return no_input(prompt)


def _described(data: Any, metadata: Any) -> Any:
    """The forms of a value, whose text is what the author has written of its picture: metadata do not go out."""
    own = [each for each in (metadata or {}).values() if isinstance(each, dict)] if data else []
    alts = [each["alt"] for each in own if isinstance(each.get("alt"), str)]
    return {**data, "text/plain": alts[0]} if alts else data


def _send(wire: Wire, kind: str, data: Any, **header: object) -> None:
    """Sends a value in all its forms; answers on their own, and text in pieces where there is no room for it whole."""
    forms = [(str(mime), _encoded(value)) for mime, value in data.items()]
    for content in [content for mime, content in forms if mime == MIME]:
        if len(content) > wire.most_answer:
            raise ValueError(
                f"the answer is too large: {len(content):,} bytes, of {wire.most_answer:,} at most"
            )
        wire.send("answers", content)
    others = [(mime, content) for mime, content in forms if mime != MIME]
    size = sum(len(content) for _, content in others)
    if size > wire.room:  # then text, which can be cut
        for content in [content for mime, content in others if mime == "text/plain"]:
            wire.stream("stdout", content.decode())
    elif others:
        wire.room -= size
        sizes = [[mime, len(content)] for mime, content in others]
        wire.send(kind, b"".join(content for _, content in others), parts=sizes, **header)


def _encoded(value: object) -> bytes:
    if isinstance(value, bytes):
        return base64.b64encode(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace")


def no_input(prompt: object = "") -> str:
    """Takes input()'s place: nobody is there to answer."""
    raise EOFError("input() was called, but nobody is there to answer while work is graded")

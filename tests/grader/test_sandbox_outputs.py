"""What a cell sends is kept within its room, whatever it consists of."""

import json

import pytest

from vaeedu_grader.sandbox.channel import Message
from vaeedu_grader.sandbox.model import CellResult
from vaeedu_grader.sandbox.outputs import Collector

ERROR = {"ename": "", "evalue": "", "traceback": []}


def collected(messages, room):
    result = CellResult("a")
    collector = Collector(result, room)
    for message in messages:
        collector.add(message)
    collector.finish()
    return result.outputs, collector


@pytest.mark.parametrize(
    "message",
    [
        Message({"kind": "display", "parts": [["text/plain", 0]]}, b""),
        Message({"kind": "error"}, json.dumps(ERROR).encode()),
        Message({"kind": "error"}, json.dumps({**ERROR, "traceback": [""] * 50}).encode()),
        Message({"kind": "stream", "name": "stdout"}, b"x"),
    ],
)
def test_outputs_with_little_or_no_text_use_up_room_too(message):
    other = Message({"kind": "stream", "name": "stderr"}, b"y")
    outputs, collector = collected([message, other] * 1000, 10_000)
    assert collector.cut
    assert len(json.dumps(outputs)) < 20_000


def test_an_error_is_kept_where_there_is_no_room_since_it_costs_points():
    report = {"ename": "E", "evalue": "no", "traceback": ["1", "2"]}
    flood = Message({"kind": "stream", "name": "stdout"}, b"x" * 99)
    for before in (
        [flood],
        [flood, Message({"kind": "error"}, json.dumps(ERROR).encode()), Message({"kind": "clear"}, b"")],
    ):
        outputs, _ = collected([*before, Message({"kind": "error"}, json.dumps(report).encode())], 10)
        assert "E" in [output.get("ename") for output in outputs]


@pytest.mark.parametrize(
    ("text", "metadata"),
    [
        (b"A line that rises.", {"image/png": {"alt": "A line that rises."}}),
        (b"<Figure size 640x480 with 1 Axes>", {}),
        (b"  ", {}),
    ],
)
def test_a_picture_keeps_what_its_author_says_of_it(text, metadata):
    parts = [["text/plain", len(text)], ["image/png", 4]]
    (output,), _ = collected([Message({"kind": "display", "parts": parts}, text + b"AAAA")], 10_000)
    assert output["metadata"] == metadata
    (plain,), _ = collected([Message({"kind": "display", "parts": parts[:1]}, text)], 10_000)
    assert plain["metadata"] == {}

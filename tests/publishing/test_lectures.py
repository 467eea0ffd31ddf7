"""A run becomes a page: figures as files with their alternative text, widgets as films, folded code."""

import base64
import io
import json
import re

import nbformat
import pytest
from pages import executed, lectures
from pages.lectures import Files, film, page, section
from PIL import Image


def picture(colour, kind="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), colour).save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path / "figures", "../_static/figures")


def displayed(**data):
    return nbformat.v4.new_output(
        "display_data", {name.replace("_", "/", 1): value for name, value in data.items()}
    )


def notebook(*outputs, **metadata):
    cell = nbformat.v4.new_code_cell("draw()", outputs=list(outputs), metadata=metadata)
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A"), cell])


def with_image(colour="red", alt="A red plane"):
    text = f'<img style="max-width: 100%" alt="{alt}" src="data:image/png;base64,{picture(colour)}">'
    return displayed(text_html=text, image_png=picture(colour), text_plain=alt)


def test_figures_become_files_that_are_there_once_and_keep_their_text(files, tmp_path):
    run = notebook(with_image(), with_image(), with_image("blue", "A &quot;blue&quot; one"))
    outputs = page(run, run, files).cells[1].outputs
    tags = [output.data["text/html"] for output in outputs]
    assert tags[0] == tags[1]
    assert 'alt="A &quot;blue&quot; one"' in tags[2]
    assert all('width="30" height="20" loading="lazy"' in tag and "base64" not in tag for tag in tags)
    assert len(list((tmp_path / "figures").iterdir())) == 2
    (address,) = re.findall(r'src="\.\./_static/figures/([^"]+)"', tags[0])
    assert Image.open(tmp_path / "figures" / address).getpixel((3, 3)) == (255, 0, 0)


def test_sounds_become_files_too(files, tmp_path):
    sound = base64.b64encode(b"RIFF....WAVE").decode()
    run = notebook(
        displayed(text_html=f'<audio controls><source src="data:audio/wav;base64,{sound}"></audio>')
    )
    text = page(run, run, files).cells[1].outputs[0].data["text/html"]
    assert re.fullmatch(r'<audio controls><source src="\.\./_static/figures/\w+\.wav"></audio>', text)
    assert [path.read_bytes() for path in (tmp_path / "figures").iterdir()] == [b"RIFF....WAVE"]


def test_a_picture_without_alternative_text_is_refused(files):
    run = notebook(displayed(image_png=picture("red")))
    with pytest.raises(ValueError, match=r"a picture without alternative text: show it with plotting\.show"):
        page(run, run, files)


@pytest.mark.parametrize("hidden", [True, False])
def test_code_is_folded_where_the_notebook_folds_it(files, hidden):
    run = notebook(jupyter={"source_hidden": hidden})
    assert ("hide-input" in page(run, run, files).cells[1].metadata.tags) == hidden


def test_a_lecture_that_was_not_run_says_so(files):
    made = page(notebook(), None, files)
    assert "Run `make site` without `--lectures`" in made.cells[1].source
    assert "Run `make site`" not in "".join(cell.source for cell in page(notebook(), notebook(), files).cells)


FILM = {
    "kind": "sliders", "together": True, "thinned": False, "interval": None, "area": None, "alt": "",
    "sliders": [{"description": "σ", "labels": ["1", "2"], "shares": [0.25, 0.75], "start": 1}],
    "shown": [[[0], 0, 0], [[1], 1, 1]], "texts": ["one</script>", "two"],
    "alts": ["a line at 1.", "a line at 2."],
}  # fmt: skip


def films():
    return FILM | {"pictures": [picture("red", "WEBP"), picture("blue", "WEBP")]}


def test_a_film_begins_where_its_widget_stood_and_has_every_frame(files, tmp_path):
    text = film(films(), files)
    assert text.count("</script>") == 1  # a caption cannot end it
    about = json.loads(re.search(r'<script type="application/json">(.*)</script>', text)[1])
    assert about["texts"] == FILM["texts"]
    paths = [tmp_path / "figures" / address.rpartition("/")[2] for address in about["frames"]]
    assert [Image.open(path).getpixel((0, 0))[0] > 200 for path in paths] == [True, False]
    assert f'<img class="figure" src="{about["frames"][1]}" alt="a line at 2."' in text
    assert about["note"] == ""


@pytest.mark.parametrize(
    ("change", "note"),
    [({"thinned": True}, lectures.FEWER_STOPS), ({"together": False}, lectures.ONE_AT_A_TIME)],
)
def test_a_film_says_what_it_cannot_do(files, change, note):
    assert note in film(films() | change, files)


def test_a_widget_with_a_film_needs_no_state_and_one_without_keeps_its_own(files):
    view = lambda name: displayed(**{"application_vnd.jupyter.widget-view+json": {"model_id": name}})  # noqa: E731
    run = notebook(view("a"), view("b"))
    state = {
        "a": {"state": {}},
        "b": {"state": {"children": ["IPY_MODEL_c"]}},
        "c": {"state": {"layout": "IPY_MODEL_d"}},
        "d": {"state": {}},
        "e": {"state": {}},
    }
    run.metadata = {"widgets": {executed.STATE: {"state": state}}, "vaeedu": {"films": {"a": films()}}}
    made = page(run, run, files)
    assert 'class="film"' in made.cells[1].outputs[0].data["text/html"]
    assert made.cells[1].outputs[1].data[lectures.VIEW] == {"model_id": "b"}
    assert made.metadata.widgets[executed.STATE]["state"].keys() == {"b", "c", "d"}
    assert lectures.NEEDS_A_KERNEL in made.cells[1].outputs[2].data["text/html"]


def test_links_in_printed_markdown_lead_to_pages(files):
    run = notebook(displayed(text_markdown="[read](../lectures/01_a.ipynb), [more](https://a.b/c.md)"))
    made = page(run, run, files).cells[1].outputs[0].data["text/markdown"]
    assert made == "[read](../lectures/01_a.html), [more](https://a.b/c.md)"


def test_sections_are_told_apart_and_code_has_no_headings():
    text = "# A\nbegin\n## B\none\n```\n# no heading\n```\n## C\ntwo"
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_markdown_cell("still two")]
    made = nbformat.v4.new_notebook(cells=cells)
    assert [title for _, title, _ in lectures.headings(made)] == ["A", "B", "C"]
    assert section(made, lambda title: title == "C").split() == ["two", "still", "two"]


def test_a_link_is_added_where_there_is_none():
    first, last = map(nbformat.v4.new_markdown_cell, ("# A", "**Next**: [B](b.ipynb)."))
    made = nbformat.v4.new_notebook(cells=[first, last])
    lectures.lead_to(made, "b.ipynb", "To do: [B]({}).", 2)
    assert len(made.cells) == 2
    lectures.lead_to(made, "../c.ipynb", "To do: [C]({}).", 1)
    assert [cell.source for cell in made.cells] == [first.source, "To do: [C](../c.ipynb).", last.source]


def test_where_in_memory_an_object_was_is_not_shown(files):
    run = notebook(
        displayed(text_plain="<matplotlib.legend.Legend at 0x7efdca275f10>"),
        displayed(text_plain="History(loss=[1.0])"),
        displayed(text_plain="x at 0x1"),
    )
    left = [output.data["text/plain"] for output in page(run, run, files).cells[1].outputs]
    assert left == ["History(loss=[1.0])", "x at 0x1"]

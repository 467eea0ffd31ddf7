"""What a lecture becomes as slides: titles, formulas, tables and figures; the rest is said."""

import nbformat
import pytest
from pages import slides

TEXT = """# 2 · Planes

**After this lecture you can**

- find a plane;
- say which.

## Which plane?

We look for a plane,

$$a = b$$

through the origin, $c$. Setting the gradient to zero,

$$d
= e$$

| method | asks |
|---|---|
| PCA | least |

```python
# no heading
```

<details><summary>Answers</summary>

1. One.

</details>

## Further reading

- A book.
"""


@pytest.fixture
def made():
    figure = nbformat.v4.new_output("display_data", {"text/html": '<img class="figure" src="x.png" alt="x">'})
    said = nbformat.v4.new_output("stream", text="3 planes\n")
    cells = [nbformat.v4.new_markdown_cell(TEXT.partition("## Further")[0])]
    cells.append(nbformat.v4.new_code_cell("draw()", outputs=[said, figure]))
    cells.append(nbformat.v4.new_markdown_cell("## Further" + TEXT.partition("## Further")[2]))
    return slides.slides(nbformat.v4.new_notebook(cells=cells))


def test_each_slide_has_one_thing_under_its_sections_title(made):
    assert [(slide.title, slide.shown) for slide in made] == [
        ("# 2 · Planes", []),
        ("## Objectives", ["- find a plane;\n- say which."]),
        (
            "## Which plane?",
            [
                "We look for a plane,\n\n$$a = b$$\n\nthrough the origin, $c$.",
                "Setting the gradient to zero,\n\n$$d\n= e$$",
            ],
        ),
        ("## Which plane?", ["| method | asks |\n|---|---|\n| PCA | least |"]),
        ("## Which plane?", ['<img class="figure" src="x.png" alt="x">']),
    ]


def test_what_is_not_shown_is_said(made):
    notes = ["\n".join(slide.notes) for slide in made]
    assert "We look for a plane," in notes[2]
    assert "# no heading" in notes[3]
    assert "1. One." in notes[3]
    assert "3 planes" in notes[3] + notes[4]
    assert "A book" not in "".join("".join(slide.shown) for slide in made)


def test_a_slide_has_no_more_formulas_than_can_be_taken_in():
    text = "# A\n\n## B\n\n" + "\n\n".join(f"$$a_{n}$$" for n in range(7))
    made = slides.slides(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)]))
    assert [len(slide.shown) for slide in made] == [0, 3, 3, 1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("First this. Then $a$:\n\n$$f$$\n\nAnother thing.", "Then $a$:\n\n$$f$$"),
        ("Far above.\n\nIt is\n\n$$f$$", "It is\n\n$$f$$"),
        ("(Cut here. In brackets)\n\n$$f$$", "$$f$$"),
        ("A formula $a: B$ that\n\n$$f$$", "$$f$$"),
        ("As in **one. Two**\n\n$$f$$", "$$f$$"),
        ("word " * 70 + "\n\n$$f$$", "$$f$$"),
        ("- a list\n\n$$f,$$\n\nwhere it ends. Not this.", "$$f,$$\n\nwhere it ends."),
    ],
)
def test_a_formula_has_its_sentence_with_it_or_nothing(text, shown):
    cell = nbformat.v4.new_markdown_cell(f"# A\n\n## B\n\n{text}")
    made = slides.slides(nbformat.v4.new_notebook(cells=[cell]))
    assert [s for slide in made for s in slide.shown if "$$" in s] == [shown]


def test_the_title_slide_says_what_the_lecture_is_about():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A")])
    notebook.metadata["vaeedu"] = {"summary": "where p < q"}
    assert slides.slides(notebook)[0].shown == ['<p class="summary">where p &lt; q</p>']


def test_links_lead_to_slides_that_are_there_and_of_others_the_words_are_left():
    text = "[lecture 7](07_a.ipynb#β), [lecture 8](08_b.ipynb), [why](../docs/decisions/016-a.md), [x](https://a.example)"
    assert slides.linked(text, {"07_a"}) == "[lecture 7](07_a.html), lecture 8, why, [x](https://a.example)"


def test_nothing_but_titles_figures_and_notes_is_handed_to_nbconvert(made):
    notebook = slides.as_notebook(made)
    assert {cell.cell_type for cell in notebook.cells} == {"markdown"}
    kinds = [cell.metadata.slideshow.slide_type for cell in notebook.cells]
    assert kinds.count("slide") == len(made)
    assert set(kinds) == {"slide", "notes"}

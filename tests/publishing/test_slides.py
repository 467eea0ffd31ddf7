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
        ("## Which plane?", ["$$a = b$$", "$$d\n= e$$"]),
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


def test_nothing_but_titles_figures_and_notes_is_handed_to_nbconvert(made):
    notebook = slides.as_notebook(made)
    assert {cell.cell_type for cell in notebook.cells} == {"markdown"}
    kinds = [cell.metadata.slideshow.slide_type for cell in notebook.cells]
    assert kinds.count("slide") == len(made)
    assert set(kinds) == {"slide", "notes"}

"""Pages gathered from others lead to where each thing is, and refuse what is nowhere."""

import nbformat
import pytest
from pages import gathered
from pages.errors import SiteError

FIRST = "# Start here\n\n## Notation\n\n$N$: examples.\n\n## Data\n\nNone."
LECTURE = """# 2 · Planes

**Notation.** $W$ is a plane.
It has columns.

**Next**

## Which plane?

A word about the gap, in passing.

## What is lost: the *gap*

It is here.

## Errata: where sources are often wrong

| you may read | correct |
|---|---|
| a | b, see [3](03_more.ipynb) and [why](../docs/decisions/001-a.md) |

## Check yourself
"""


def notebook(text):
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(text)], metadata={"vaeedu": {"summary": "s"}}
    )


@pytest.fixture
def lectures():
    return {"00_start": notebook(FIRST), "02_planes": notebook(LECTURE)}


def test_errata_are_all_there_with_their_links_mended(lectures):
    made = gathered.errata(lectures)
    assert "## [2 · Planes](lectures/02_planes.ipynb)" in made
    assert "| a | b, see [3](lectures/03_more.ipynb) and [why](docs/decisions/001-a.md) |" in made
    assert "Start here" not in made
    assert "Check yourself" not in made


def test_notation_is_that_of_the_first_page_and_of_each_lecture(lectures):
    made = gathered.notation(lectures)
    assert "$N$: examples." in made
    assert "$W$ is a plane.\nIt has columns.\n" in made
    assert "Next" not in made


def test_a_lecture_without_notation_is_named(lectures):
    lectures["03_more"] = notebook("# 3 · More")
    with pytest.raises(SiteError, match=r"lecture 03_more begins without \*\*Notation"):
        gathered.notation(lectures)


def glossary(tmp_path, lectures, text):
    (tmp_path / "glossary.toml").write_text(text)
    return gathered.glossary(tmp_path / "glossary.toml", lectures)


def test_a_term_leads_to_the_section_that_names_it_in_its_heading(tmp_path, lectures):
    made = glossary(tmp_path, lectures, '[[term]]\nname = "gap"\nlecture = 2\nmeaning = "What is lost."')
    assert "gap\n: What is lost." in made
    assert "(lectures/02_planes.ipynb#what-is-lost-the-gap)" in made


def test_a_term_that_its_lecture_does_not_have_is_refused(tmp_path, lectures):
    with pytest.raises(
        SiteError, match=r"lecture 2 has no “bridge”, by which the section on “bridge” is to be found"
    ):
        glossary(tmp_path, lectures, '[[term]]\nname = "bridge"\nlecture = 2\nmeaning = "."')


def test_terms_are_sorted_as_they_are_read(tmp_path, lectures):
    terms = "".join(
        f'[[term]]\nname = "{name}"\nlecture = 2\nsaid = "gap"\nmeaning = "."\n'
        for name in ("zero", "μ-law", "Bayes", "nat")
    )
    made = glossary(tmp_path, lectures, terms)
    assert [line for line in made.splitlines() if line in ("zero", "μ-law", "Bayes", "nat")] == [
        "Bayes",
        "μ-law",
        "nat",
        "zero",
    ]


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "benchmarks" / "results"
    folder.mkdir(parents=True)
    (folder.parent / "vae.py").touch()
    (folder.parent / "vae_runs.py").write_text('"""How good\nis it?\n\nRun it so."""\n', encoding="utf-8")
    (folder / "vae_runs_mnist.md").write_text("# How good\n\n| a |\n|---|\n")
    (folder / "plain.md").write_text("| a |\n|---|\n")
    (folder / "curve.png").touch()
    return folder


def test_results_have_a_title_their_pictures_and_their_script(results, tmp_path):
    (tmp_path / "pictures.toml").write_text('[curve]\npage = "vae_runs_mnist"\nalt = "It falls."\n')
    pages = gathered.results(results, tmp_path / "pictures.toml")
    assert "![It falls.](curve.png)" in pages["vae_runs_mnist.md"]
    assert pages["plain.md"].startswith("# Plain\n")
    asked = "# How good\n\nHow good is it? (`benchmarks/vae_runs.py`)\n\n| a |\n"
    assert pages["vae_runs_mnist.md"].startswith(asked)
    assert "[How good](vae_runs_mnist.md) | `benchmarks/vae_runs.py`" in pages["index.md"]


@pytest.mark.parametrize("listed", ["", '[curve]\npage="a"\nalt="b"\n[gone]\npage="a"\nalt="b"\n'])
def test_pictures_and_their_list_agree(results, tmp_path, listed):
    (tmp_path / "pictures.toml").write_text(listed)
    with pytest.raises(SiteError, match=r"one for one, but for (curve|gone): say there on which page"):
        gathered.results(results, tmp_path / "pictures.toml")

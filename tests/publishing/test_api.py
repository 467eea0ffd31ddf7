"""The library's pages: every public name, its docstring as it is meant, and who uses it."""

import importlib
import re
from pathlib import Path

import griffe
import pytest
from pages import api

import vaeedu

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def library():
    return api.Library(ROOT)


def page(library, name, uses=None):
    return api.module_page(library, name, uses or {})


def test_every_module_of_the_library_has_a_page_with_every_name_it_lists(library):
    assert library.modules.keys() == set(vaeedu.__all__) - {"__version__", "check", "hint", "solution"}
    for name in library.modules:
        described = set(re.findall(r"^:+\{py:(?:class|function|data)\} (\w+)", page(library, name), re.M))
        listed = getattr(importlib.import_module(f"vaeedu.{name}"), "__all__", None)
        if listed is None:
            assert described, name
        else:
            assert described == {each for each in listed if f"vaeedu.{name}.{each}" in library.names}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (
            "bounds",
            "{py:function} elbo(x, encoder, decoder, prior, *, num_samples=1, beta=1.0, kl='analytic', generator=None)",
        ),
        ("bounds", "{py:class} ElboTerms(reconstruction, kl)"),
        ("pca", "{py:class} PCA(num_components)"),
        (
            "pca",
            "{py:method} from_parameters(components, mean, noise_variance)\n:module: vaeedu.pca\n:classmethod:",
        ),
        ("pixelcnn", "{py:method} sample("),  # which PixelCNN has from another class
        ("plotting", "{py:data} BLUE"),
    ],
)
def test_signatures_are_those_of_the_code(library, module, expected):
    assert expected in page(library, module)


def test_what_comes_back_has_its_type_from_the_code_and_all_of_its_text(library):
    made = page(library, "autoencoders")
    assert (
        "- (`Float[Tensor, 'B 2 C H W']`): Slopes in grey values per pixel, `(B, 2, C, H, W)`: first to the right,"
        in made
    )
    texts = [page(library, name) for name in library.modules]
    types = re.findall(r"\*\*Returns\*\*\n\n- \(`([^`]*)`\)", "\n".join(texts))
    assert len(types) > 100
    without_shapes = [re.sub(r"'[^']*'", "", each) for each in types]
    assert [each for each in without_shapes if re.search(r"\w \w", each)] == []  # words, not a type


def test_formulas_stand_as_they_are_and_examples_are_fenced(library):
    made = page(library, "bounds")
    assert "$$\\mathcal L_\\beta(x) = \\mathbb E_{q(z \\mid x)}" in made
    assert "```pycon\n>>> from torch.distributions import Independent, Normal" in made
    assert not re.search(r"^>>>", re.sub(r"```pycon.*?```", "", made, flags=re.S), re.M)


def test_names_in_docstrings_are_links_and_other_code_is_not(library):
    place = api.Place(library, "bounds")
    assert api.linked("see `elbo`, `sampling.draw` and `(B,)`", place) == (
        "see {py:obj}`elbo <vaeedu.bounds.elbo>`, {py:obj}`sampling.draw <vaeedu.sampling.draw>` and `(B,)`"
    )
    assert api.linked("`fit`", place) == "`fit`"
    within = api.Place(library, "pca", "PCA")
    assert api.linked("`transform()`", within) == "{py:obj}`transform() <vaeedu.pca.PCA.transform>`"


def test_what_a_notebook_uses_is_found_under_every_kind_of_import(library):
    sources = [
        "from vaeedu import pca, data as d\nfrom vaeedu.sampling import seeded\nimport vaeedu",
        "model = pca.PCA(3)\nd.mnist('train')\nseeded(1)\nvaeedu.bounds.elbo\nother.PCA(3)\npca.nothing",
    ]
    assert api.used_names(sources, library.names) == {
        "vaeedu.pca", "vaeedu.pca.PCA", "vaeedu.data", "vaeedu.data.mnist", "vaeedu.sampling.seeded",
        "vaeedu.sampling", "vaeedu.bounds.elbo", "vaeedu.bounds",
    }  # fmt: skip


def test_a_name_leads_back_to_its_lectures(library):
    uses = {"vaeedu.pca.PCA": [("../lectures/02_a.ipynb", "2"), ("../lectures/06_b.ipynb", "6")]}
    assert "Used in lectures [2](../lectures/02_a.ipynb), [6](../lectures/06_b.ipynb)." in page(
        library, "pca", uses
    )


def test_a_section_that_the_pages_do_not_know_is_refused(library):
    function = griffe.visit(
        "m", filepath=Path("m.py"), code='def f():\n    """Does.\n\n    Yields:\n        One.\n    """\n'
    )["f"]
    function.docstring.parser = "google"
    with pytest.raises(ValueError, match="knows no docstring section 'yields'; add it to"):
        api.docstring(function, api.Place(library, "pca"))

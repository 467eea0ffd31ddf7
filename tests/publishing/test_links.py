"""A built page's faults are found, each of its kind."""

import pytest
from pages import links

GOOD = """<main id="a"><a href="b.html#c">b</a><a href="#a">a</a><a href="https://a.b">out</a>
<img src="i.png" alt="x"></main>"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "a.html").write_text(GOOD)
    (tmp_path / "b.html").write_text('<h1 id="c">c</h1><link rel="next" href="https://a.b/">')
    (tmp_path / "i.png").touch()
    return tmp_path


def test_a_site_without_faults_has_none(site):
    assert links.broken(site) == []


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ('<a href="d.html">', "a.html: d.html leads nowhere"),
        ('<a href="b.html#d">', "a.html: b.html#d leads to a page that has no such place"),
        ('<a href="#d">', "a.html: #d leads to a page that has no such place"),
        ('<img src="j.png" alt="x">', "a.html: j.png leads nowhere"),
        ('<img src="i.png" alt=" ">', "a.html: the picture i.png has no alternative text"),
        (
            '<script src="https://cdn.invalid/x.js"></script>',
            "a.html: loads https://cdn.invalid/x.js from another machine",
        ),
        (
            '<link rel="stylesheet" href="//fonts.invalid/x">',
            "a.html: loads //fonts.invalid/x from another machine",
        ),
    ],
)
def test_each_fault_is_named(site, more, fault):
    (site / "a.html").write_text(GOOD + more)
    assert links.broken(site) == [fault]

"""What the two commands say when they cannot do what is asked."""

import build_site
import build_slides
import pytest


@pytest.mark.parametrize("command", [build_site, build_slides])
@pytest.mark.parametrize("number", ["99", "2"])
def test_a_lecture_that_is_not_there_is_refused_in_one_line(command, number, tmp_path, capsys):
    assert command.main(["--lectures", "00", number, "--output", str(tmp_path / "site")]) == 1
    said = capsys.readouterr()
    assert said.err == f"--lectures takes numbers from 00 to 15, but there is no {number}\n"
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [build_site, build_slides])
def test_a_students_copy_says_that_it_has_no_pages(command, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(build_site, "ROOT", tmp_path)
    assert command.main(["--output", str(tmp_path / "site")]) == 1
    assert capsys.readouterr().err.endswith("this copy of it has no docs/: clone its repository\n")
    assert list(tmp_path.iterdir()) == []


def test_all_lectures_are_taken_unless_some_are_named():
    everything = build_site.choose(None)
    assert [path.name[:2] for path in everything] == [f"{n:02d}" for n in range(len(everything))]
    assert [path.name[:2] for path in build_site.choose(["03", "00"])] == ["00", "03"]


def test_a_site_with_a_broken_link_leaves_the_old_one(tmp_path, capsys, monkeypatch):
    output = tmp_path / "site"
    output.mkdir()
    (output / "index.html").write_text("old")

    def sphinx(pages, static, fresh, doctrees):
        fresh.mkdir(parents=True)
        (fresh / "index.html").write_text('<a href="gone.html">x</a>')
        return 0

    monkeypatch.setattr(build_site.layout, "lay_out", lambda *_: None)
    monkeypatch.setattr(build_site.layout, "build", sphinx)
    assert build_site.build([], tmp_path, output) == 1
    assert "index.html: gone.html leads nowhere" in capsys.readouterr().err
    assert (output / "index.html").read_text() == "old"

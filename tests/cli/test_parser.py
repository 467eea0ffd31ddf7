"""How the command line reads what somebody types."""

import argparse

import pytest

from vaeedu import cli, course
from vaeedu.cli import evaluation
from vaeedu.cli.parser import Parser

NAMES = ["02_linear_latent_variable_models", "03_information_and_divergence", "12_sequences"]


def refused(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def parsers(parser):
    """A parser and those of its commands, of their commands, and so on."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


def test_every_parser_refuses_shortened_options_and_explains_the_exit_codes():
    found = list(parsers(cli._parser()))
    assert len(found) > 20
    for parser in found:
        assert isinstance(parser, Parser)
        assert not parser.allow_abbrev
        shown = " ".join(parser.format_help().split())
        assert all(f"{code} " in shown.partition("Exit codes: ")[2] for code in (0, 1, 2, 130, 141))


def test_a_shortened_option_is_refused(capsys, tmp_path):
    folder = str(tmp_path / "run")
    assert "--epoch" in refused(["train", "vae", "--output", folder, "--epoch", "1"], capsys)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "guess"),
    [
        (["grad", "03"], "grade"),
        (["trian"], "train"),
        (["train", "vea"], "vae"),
        (["completion", "bahs"], "bash"),
    ],
)
def test_a_wrong_word_is_told_with_the_nearest_right_one(arguments, guess, capsys):
    assert refused(arguments, capsys).endswith(f": did you mean {guess!r}?")


def test_a_word_like_none_gets_no_guess(capsys):
    assert "did you mean" not in refused(["xyzzy"], capsys)


@pytest.mark.parametrize("text", ["3", "03", "003", "03_information_and_divergence"])
def test_an_assignment_is_named_by_its_number_or_name(text):
    assert course.assignment(text, NAMES) == "03_information_and_divergence"


@pytest.mark.parametrize("text", ["", "0", "30", "²", "-3", "information", "03_", "1"])
def test_what_names_no_assignment(text):
    with pytest.raises(ValueError, match=rf"must be one of {NAMES[0]}, .*, but is {text!r}$"):
        course.assignment(text, NAMES)


def test_a_misspelt_assignment_is_told_with_the_nearest():
    with pytest.raises(ValueError, match=": did you mean '12_sequences'"):
        course.assignment("12_sequence", NAMES)
    with pytest.raises(ValueError, match=r"must be one of \(none found\), but is '3'"):
        course.assignment("3", [])


def test_a_number_that_two_assignments_have_names_none():
    with pytest.raises(ValueError, match="but is '3'"):
        course.assignment("3", [*NAMES, "03_other"])


def test_an_offline_download_is_told_in_three_lines_the_remedy_first(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("vaeedu.data.mnist_at_hand", lambda: False)

    def fetch():
        raise ConnectionError("put it there\nthe files: a, b\nno mirror gave a")

    monkeypatch.setattr("vaeedu.data.fetch_mnist", fetch)
    folder = tmp_path / "run"
    assert cli.main(["train", "vae", "--data", "mnist", "--output", str(folder)]) == 2
    first, *others = capsys.readouterr().err.splitlines()
    assert first == "vaeedu: error: use --data small-mnist, which is there already; or, put it there"
    assert others == ["the files: a, b", "no mirror gave a"]
    assert not folder.exists()


def test_ctrl_c_has_the_exit_code_that_shells_expect(monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "_evaluate", interrupted)
    assert cli.main(["evaluate", "x"]) == 130
    assert capsys.readouterr().err == "vaeedu: error: interrupted\n"

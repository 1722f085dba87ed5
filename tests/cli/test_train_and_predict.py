"""The commands train, predict, cases and --version."""

from __future__ import annotations

import ast
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from compare.cases.registry import CASES, adapt
from compare.cases.text import zen
from compare.catalogue.table import CATALOGUE
from compare.command.continuation import ADDED
from compare.training.solo import IMPLEMENTATIONS, train
from tests.support.checks import assert_refused, run


@pytest.mark.parametrize("impl", IMPLEMENTATIONS)
def test_train_teaches_exclusive_or(impl: str) -> None:
    result = run("train", "--impl", impl)
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines[0].startswith(f"{impl}: xor, 5000 epochs, loss 0.708082 -> 0.0006")
    assert "learned (4 of 4 outputs right)" in lines[0]
    answers = [float(line.split(" = ")[1]) for line in lines[1:]]
    np.testing.assert_allclose(answers, [0, 1, 1, 0], atol=0.03)


def test_both_sides_learn_the_same() -> None:
    sides = [train(adapt(CASES["xor"], epochs=3000), impl).side for impl in IMPLEMENTATIONS]
    for name, value in sides[0].weights().items():
        np.testing.assert_allclose(value, sides[1].weights()[name], rtol=0, atol=1e-10)
        assert np.abs(value).max() > 1


def test_train_says_when_nothing_was_learned() -> None:
    result = run("train", "--epochs", "2")
    assert result.exit_code == 0
    assert ", not learned (2 of 4 outputs right)" in result.stdout


def test_train_shows_the_accuracy_on_the_digits() -> None:
    result = run("train", "--case", "digits", "--epochs", "3")
    assert "training accuracy" in result.stdout
    assert len(result.stdout.splitlines()) == 1, "1,797 answers are not shown"


@pytest.mark.parametrize("impl", IMPLEMENTATIONS)
def test_predict_takes_numbers_as_arguments(impl: str) -> None:
    result = run("predict", "0", "1", "--impl", impl)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("xor(0, 1) = 0.98")
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["-1", "-2.5e-1", "--epochs", "3"],
        ["--epochs", "3", "--", "-1", "-2.5e-1"],
        ["-1", "--epochs", "3", "-.25"],
    ],
)
def test_predict_takes_negative_numbers(arguments: list[str]) -> None:
    result = run("predict", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("xor(-1, -0.25) = ")


def test_predict_takes_as_many_numbers_as_the_network_has_inputs() -> None:
    result = run("predict", "--case", "digits", "--epochs", "1", *["0.5"] * 64)
    assert result.exit_code == 0
    assert len(result.stdout.split(" = ")[1].split(",")) == 10


ANSWER = "xor(0, 1) = 0.599867"


@pytest.mark.parametrize(
    ("typed", "answers"),
    [
        ("q\n", 0),
        ("Q\n", 0),
        ("", 0),
        ("0\nq\n", 0),
        ("0\n", 0),
        ("0\n1\nq\n", 1),
        (" 0 \n1\n0\n1\n", 2),
        ("0\n1", 1),
    ],
)
def test_predict_asks_until_q_or_the_end(typed: str, answers: int) -> None:
    result = run("predict", "--epochs", "3", input=typed)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count(ANSWER) == answers
    assert result.stdout.endswith("Bye\n")
    assert result.stdout.startswith("Enter x: ")
    assert "Enter y: " in result.stdout or not typed.startswith(("0", " 0"))


@pytest.mark.parametrize("word", ["one", "", "nan", "1e999", "0 1", "--help"])
def test_predict_asks_again_for_what_is_no_number(word: str) -> None:
    result = run("predict", "--epochs", "3", input=f"0\n{word}\n1\nq\n")
    assert result.exit_code == 0
    assert ANSWER in result.stdout
    assert "number; try again, or q to end" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_predict_asks_again_for_what_is_too_large() -> None:
    arguments = "predict", "--epochs", "3", "--dtype", "float32"
    result = run(*arguments, input="-1e39\n0\n1\nq\n")
    assert (result.exit_code, result.stdout.count(ANSWER)) == (0, 1)
    told = "-1e39 is too large for float32; use --dtype float64; try again, or q to end\n"
    assert result.stderr == told


def test_answers_to_what_overflows_within_the_network_come_without_a_warning() -> None:
    arguments = "3e38", "3e38", "--case", "xor-relu", "--dtype", "float32", "--epochs", "3"
    result = run("predict", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("xor-relu(3e+38, 3e+38) = ")


def test_predict_asks_for_each_input_of_other_networks() -> None:
    result = run("predict", "--case", "line", "--epochs", "100", input="2\nq\n")
    assert "Enter x1: line(2) = 10.2" in result.stdout


def test_cases_are_listed() -> None:
    result = run("cases")
    listed = [line.split()[0] for line in result.stdout.splitlines() if line]
    assert listed == [*CASES, *CATALOGUE]


def test_versions_are_the_packages_own() -> None:
    result = run("--version")
    assert result.exit_code == 0
    for name in ("backproof", "numpy", "torch"):
        assert f"{name} {version(name)}" in result.stdout


def test_nothing_is_a_request_for_help() -> None:
    result = run()
    assert "compare" in result.output
    assert result.exit_code == 2


@pytest.mark.parametrize("name", ["gpt", "lenet", "diabetes"])
@pytest.mark.parametrize("trained", IMPLEMENTATIONS)
def test_networks_answer_the_same_from_what_either_saves(
    name: str, trained: str, tmp_path: Path
) -> None:
    """Running statistics are saved, too, and used: what a batch of one would have is not."""
    path, words = str(tmp_path / "weights.npz"), WORDS[name]
    result = run("train", "--case", name, "--impl", trained, "--epochs", "1", "--save", path)
    assert (result.exit_code, result.stderr) == (0, "")
    answers = {
        impl: run("predict", "--case", name, "--impl", impl, "--weights", path, *words).stdout
        for impl in IMPLEMENTATIONS
    }
    assert answers["reference"] == answers["torch"]
    assert answers["reference"].startswith(name)


WORDS = {
    "gpt": ["Beautiful", "is"],
    "lenet": [f"{i % 7 / 7}" for i in range(64)],
    "diabetes": [f"{i / 10}" for i in range(10)],
}


def test_predict_goes_on_with_a_text() -> None:
    result = run("predict", "--case", "char-rnn", "Now", "is")
    assert (result.exit_code, result.stderr) == (0, "")
    text = ast.literal_eval(result.stdout.removeprefix("char-rnn: "))
    assert text.startswith("Now is")
    assert len(text) == 6 + ADDED
    known = {word for word in zen().split() if len(word) > 1}
    assert len(known & set(text.split())) >= 4, text


def test_predict_asks_for_a_text() -> None:
    result = run("predict", "--case", "char-rnn", "--epochs", "1", input="Now\n#\n\nis\nq\n")
    assert result.stdout.count("char-rnn: ") == 2
    assert result.stdout.endswith("Bye\n")
    assert "the text has '#'" in result.stderr
    assert "the text is empty" in result.stderr


def test_text_with_an_unknown_character_is_refused() -> None:
    result = run("predict", "--case", "char-rnn", "Now #")
    assert_refused(result, 2, "'#'", "Zen of Python")


@pytest.mark.parametrize("impl", IMPLEMENTATIONS)
def test_batch_of_one_is_too_small_for_a_batch_norm(impl: str) -> None:
    result = run("train", "--case", "diabetes", "--impl", impl, "--batch-size", "1")
    assert_refused(result, 3, "more than 1")


@pytest.mark.parametrize("option", [["--hidden", "8"], ["--activation", "tanh"]])
def test_layers_of_a_network_are_not_to_choose(option: list[str]) -> None:
    assert_refused(run("train", "--case", "gpt", *option), 2, "'gpt'", "no hidden layers")

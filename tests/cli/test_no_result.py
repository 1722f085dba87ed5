"""Work that was begun and comes to nothing: exit code 3, and where it ended."""

from __future__ import annotations

import pytest

from tests.support.checks import assert_refused, run, strict_json


@pytest.mark.parametrize(("dtype", "lr"), [("float32", "1e30"), ("float64", "1e300")])
def test_compare_names_where_training_overflows(dtype: str, lr: str) -> None:
    result = run("compare", "--case", "xor-relu", "--lr", lr, "--dtype", dtype, "--epochs", "50")
    assert_refused(result, 3, "xor-relu", "at epoch 2", "activation 2", "smaller --lr")


@pytest.mark.parametrize("impl", ["reference", "torch"])
def test_train_names_where_it_overflows(impl: str) -> None:
    result = run("train", "--impl", impl, "--case", "xor-relu", "--lr", "1e300", "--epochs", "50")
    assert_refused(result, 3, "at epoch 2", "the loss", "smaller --lr")


def test_too_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(case: object) -> None:
        raise MemoryError("Unable to allocate 1 PiB")

    monkeypatch.setattr("compare.sides.pair.initial_weights", too_large)
    assert_refused(run("compare", "--epochs", "1"), 3, "memory", "1 PiB")


@pytest.mark.usefixtures("few")
def test_the_other_cases_are_still_compared() -> None:
    result = run("compare", "--case", "all", "--lr", "1e300", "--epochs", "3")
    assert result.exit_code == 3
    assert "Error: xor-relu: training overflows" in result.stderr
    assert "agree: xor, 3 epochs" in result.stdout
    assert "could not compare: xor-relu" in result.stdout.splitlines()


@pytest.mark.usefixtures("few")
def test_json_says_which_case_could_not_be_compared() -> None:
    result = run("compare", "--case", "all", "--lr", "1e300", "--epochs", "3", "--json", "-")
    results = strict_json(result.stdout)
    found = {entry["case"]["name"]: entry for entry in results if "case" in entry}
    assert found["xor"]["agrees"]
    assert found["xor-relu"]["verdict"] == "could not compare"
    assert not found["xor-relu"]["agrees"]
    assert "epoch 2" in found["xor-relu"]["error"]


def test_no_json_without_a_report() -> None:
    result = run("compare", "--case", "xor-relu", "--lr", "1e300", "--json", "-")
    assert_refused(result, 3, "overflows")

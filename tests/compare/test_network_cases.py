"""The cases of whole networks: what they compare, what they learn, and how they change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from torch import enable_grad

from compare import CASES, Report, UsageError, compare
from compare.base.quantities import NORM, Observation
from compare.cases.case import Case
from compare.cases.datasets import DATASETS, load
from compare.cases.goals import GOALS
from compare.cases.network_cases import NETWORK_CASES
from compare.cases.plan import Plan, plan
from compare.command.continuation import ADDED, parse
from compare.measure.metrics import Metrics
from compare.sides.feed import Feed
from compare.sides.pair import build
from compare.training.envelope import Envelope
from compare.training.solo import train

NAMES = [case.name for case in NETWORK_CASES]

each_name = pytest.mark.parametrize("name", NAMES)


@pytest.mark.parametrize(("impl", "dtype"), [("reference", "float64"), ("torch", "float32")])
@each_name
def test_each_side_alone_learns_the_task(name: str, impl: str, dtype: str) -> None:
    outcome = train(replace(CASES[name], dtype=dtype), impl).outcome
    assert outcome.learned, outcome.score
    assert outcome.loss_after < outcome.loss_before / 2


@each_name
def test_untaught_it_has_not_learned_it(name: str) -> None:
    outcome = train(replace(CASES[name], lr=1e-9, epochs=1)).outcome
    assert not outcome.learned, outcome.score


@pytest.mark.parametrize("name", ["char-rnn", "autoencoder", "diabetes"])
def test_both_agree_to_the_end_and_say_so(name: str) -> None:
    report = compare(name)
    assert report.agrees
    assert report.horizon is None
    assert report.undecided == report.undecided_free_run == ()
    assert report.reference.learned
    assert report.reference.score == report.torch.score


@pytest.mark.parametrize("name", [case.name for case in NETWORK_CASES if case.max_norm])
def test_clipping_shortens_some_gradients_and_leaves_others(name: str) -> None:
    """A limit that no gradient exceeds, or that all exceed, would leave half of the rule unseen."""
    norms = [float(seen[NORM]) for seen in observed(CASES[name], epochs=3)]
    limit = CASES[name].max_norm
    assert limit is not None
    assert min(norms) < 0.95 * limit
    assert max(norms) > 1.05 * limit


def test_values_are_clipped_from_either_side_and_others_left() -> None:
    case = CASES["diabetes"]
    limit = case.clip_value
    assert limit is not None
    gradients = np.concatenate(
        [
            value.ravel()
            for seen in observed(case, epochs=1)
            for name, value in seen.items()
            if name.startswith("gradient ")
        ]
    )
    assert gradients.min() < -limit
    assert gradients.max() > limit
    assert (np.abs(gradients) < limit).any()


def observed(case: Case, epochs: int) -> list[Observation]:
    """What PyTorch's side shows of each step."""
    sides, feed = build(case), Feed(case, load(case))
    with sides.torch.training(), enable_grad():
        return [
            dict(sides.torch.observe(*theirs))
            for epoch in range(1, epochs + 1)
            for _, theirs in feed.batches(epoch, sides.reference, sides.torch)
        ]


def kinds(report: Report) -> list[str]:
    """The kinds of quantities, in order, each once."""
    named = [" ".join(metrics.quantity.split()[:2]) for metrics in report.lockstep]
    first = [
        name if name.startswith(("gradient at", "norm")) else name.split()[0] for name in named
    ]
    return list(dict.fromkeys(first))


def test_quantities_of_a_step_with_clipping_and_a_schedule() -> None:
    report = compare("gpt", epochs=2)
    shown = ["activation", "loss", "gradient at", "gradient", "norm of", "clipped", "learning"]
    assert kinds(report) == [*shown, "state", "parameter"]
    named = {metrics.quantity: metrics for metrics in report.lockstep}
    for name in build(report.case).reference.weights():
        assert {f"gradient {name}", f"clipped {name}", f"parameter {name}"} <= named.keys()
    assert named["learning rate"].shape == (2,)  # a group with decay and one without
    assert "gradient at input" not in named


def test_running_statistics_are_compared_after_each_step() -> None:
    for name, layers in (("lenet", (1, 5)), ("diabetes", (1,))):
        named = {metrics.quantity for metrics in compare(name, epochs=1).lockstep}
        statistics = ("running_mean", "running_var", "num_batches_tracked")
        assert {f"buffer {k}.{each}" for k in layers for each in statistics} <= named


@each_name
def test_both_start_alike_and_apart(name: str) -> None:
    pair = build(CASES[name])
    ours, theirs = pair.reference.state_dict(), pair.torch.state_dict()
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        np.testing.assert_array_equal(value, theirs[key])
        assert not np.shares_memory(value, theirs[key])


def test_schedules_follow_the_number_of_steps() -> None:
    gpt = CASES["gpt"]  # 103 pieces of text, so 13 batches of 8
    assert plan(replace(gpt, epochs=10)) == Plan(
        [
            ("LinearLR", {"start_factor": 0.02, "total_iters": 13}),
            ("CosineAnnealingLR", {"T_max": 117}),
        ],
        [13],
    )
    assert plan(replace(gpt, epochs=1, batch_size=None)).milestones == [1]
    assert plan(CASES["lenet"]).schedules == [("CosineAnnealingLR", {"T_max": 8 * 36})]
    assert plan(CASES["xor"]) == Plan()


def rate(name: str, **settings: Any) -> Metrics:
    report = compare(name, **settings)
    return next(m for m in report.lockstep if m.quantity == "learning rate")


def test_lr_is_the_one_that_schedules_start_from() -> None:
    seen = rate("lenet", epochs=1, lr=0.03).worst
    assert seen is not None
    assert seen.actual == seen.expected == 0.03


@each_name
@pytest.mark.parametrize("settings", [{"hidden": (3,)}, {"activation": "tanh"}])
def test_layers_are_not_to_choose(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"{name}.*no hidden layers to choose"):
        compare(name, **settings)


@each_name
def test_other_settings_are(name: str) -> None:
    report = compare(name, epochs=1, seed=3, batch_size=40, lr=0.002, dtype="float32")
    assert report.agrees
    assert (report.case.seed, report.case.batch_size, report.case.lr) == (3, 40, 0.002)


def test_dropout_depends_on_the_seed_and_on_nothing_else() -> None:
    first, again, other = (compare("lenet", epochs=1, seed=seed).history for seed in (0, 0, 1))
    assert list(first.torch) == list(again.torch) != list(other.torch)
    alone = [train(replace(CASES["lenet"], epochs=1)).losses for _ in range(2)]
    assert alone[0] == alone[1]


def goal(name: str, outputs: Any, targets: Any) -> tuple[bool, str]:
    return GOALS[name](np.asarray(outputs, float), np.asarray(targets))


def test_goals() -> None:
    targets = np.arange(20)[:, None] % 4  # (N, T), four characters
    sure = np.eye(4)[targets].swapaxes(1, 2) * 20  # (N, V, T)
    assert goal("next character", sure, targets)[0]
    assert goal("next character", 0 * sure, targets) == (
        False,
        "25.00% of next characters right, 1.4 nats each; by frequency alone 1.39",
    )
    assert goal("class indices", sure[:, :, 0], targets[:, 0]) == (
        True,
        "training accuracy 100.00%",
    )
    assert not goal("class indices", -sure[:, :, 0], targets[:, 0])[0]
    values = np.arange(10.0)[:, None]
    assert goal("variance explained", values, values) == (True, "R² 1")
    assert goal("variance explained", 0 * values + 4.5, values) == (False, "R² 0")
    assert goal("reconstruction", values + 0.1, values)[0]
    assert goal("reconstruction", 0 * values + 4.5, values) == (
        False,
        "100.00% of the variance lost",
    )


@pytest.mark.parametrize("text", ["", "Wörter"])
def test_texts_that_cannot_be_gone_on_with(text: str) -> None:
    with pytest.raises(UsageError, match="the text"):
        parse(text)


def test_characters_are_those_that_were_taught() -> None:
    data = DATASETS["characters"]()
    start = "The Zen of Python, by Tim Peters"
    np.testing.assert_array_equal(parse(start), data.inputs[:1])
    assert ADDED > 1


def trained_copies(case: Case) -> Envelope:
    """The perturbed copies after two batches, without any perturbation."""
    pair, data = build(case), load(case)
    cloud = Envelope(pair.reference.model, 0)
    vars(cloud)["_perturb"] = lambda: None
    with pair.torch.training():
        for part in (slice(0, 8), slice(8, 16)):
            x, target = data.inputs[part], data.targets[part]
            pair.torch.step(pair.torch.load(x), pair.torch.load(target))  # draws the masks
            pair.reference.step(x, target)
            cloud.step(x, target)
    for name, value in pair.reference.weights().items():
        for copy in cloud._params[name]:
            np.testing.assert_allclose(copy, value, rtol=0, atol=1e-12)
    return cloud


@each_name
def test_copies_are_clipped_and_scheduled_as_the_run_is(name: str) -> None:
    cloud = trained_copies(CASES[name])
    positions = [progress.position for progress in cloud._states]
    assert all((p is None) == (not CASES[name].phases) for p in positions)
    assert all(p.count == 2 for p in positions if p is not None)

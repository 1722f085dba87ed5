"""The function that most users need."""

from __future__ import annotations

from compare.cases.registry import Case, adapt, check_settings, find
from compare.measure.tolerances import make
from compare.results.report import Report
from compare.training.session import Progress, run


def compare(
    case: str | Case = "xor",
    *,
    epochs: int | None = None,
    seed: int | None = None,
    dtype: str | None = None,
    lr: float | None = None,
    hidden: tuple[int, ...] | None = None,
    activation: str | None = None,
    batch_size: int | None = None,
    tolerance: str | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    lockstep_every: int | None = None,
    progress: Progress = lambda epoch: None,
) -> Report:
    """Train a case on both sides and compare every gradient and every step.

    Args:
        case: a case or its name; what is not None below replaces the case's own setting.
        epochs: passes over the data.
        seed: of the first weights and of the order of the samples.
        dtype: ``float32`` or ``float64``.
        lr: learning rate.
        hidden: widths of the hidden layers.
        activation: of the hidden layers.
        batch_size: samples per step.
        tolerance: ``statistical`` (default), ``rigorous`` or ``fixed``.
        rtol: relative part of the fixed tolerance.
        atol: absolute part of the fixed tolerance.
        lockstep_every: epochs between two lockstep checks; None chooses.
        progress: called now and then with the number of the epoch that is done.

    Returns:
        The report; ``report.agrees`` is the verdict in a word.

    Raises:
        UsageError: a name is unknown or a value out of range.
        CannotCompare: the data cannot be had, or both sides overflow.
    """
    check_settings(lockstep_every=lockstep_every)
    settled = adapt(
        case if isinstance(case, Case) else find(case),
        epochs=epochs,
        seed=seed,
        dtype=dtype,
        lr=lr,
        hidden=hidden,
        activation=activation,
        batch_size=batch_size,
    )
    return run(settled, make(tolerance, rtol, atol), lockstep_every, progress)

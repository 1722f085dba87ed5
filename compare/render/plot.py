"""Curves of loss and of difference, as PNG or SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compare.base.errors import CannotCompare, UsageError
from compare.base.files import require_writable, write_whole
from compare.measure.history import LossHistory
from compare.process.loading import install
from compare.results.report import Report

if TYPE_CHECKING:
    from compare.training.solo import Trained

#: So many points are told apart.
FEW = 40

FORMATS = {".png": "png", ".svg": "svg"}


def require_plottable(path: Path) -> None:
    """Find out before the work whether a plot can be made at all.

    Raises:
        UsageError: the file's ending is not one of a picture, or it cannot be written.
        CannotCompare: matplotlib is not installed.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"cannot plot to {path}: its name should end in {' or '.join(FORMATS)}")
    require_writable(path)
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise CannotCompare(
            f"plots need matplotlib, which is not installed; install it with: {install('plot')}"
        ) from error


def plot_report(report: Report, path: Path) -> None:
    """Both losses above, their difference below, over the epochs, on logarithmic scales."""
    from matplotlib.figure import Figure

    history, case = report.history, report.case
    figure = Figure(figsize=(7, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    dots = _dots(history.epochs)
    above.plot(history.epochs, history.reference, dots, label="reference", linewidth=3, alpha=0.5)
    above.plot(history.epochs, history.torch, dots, label="torch", linewidth=1, color="black")
    _scale(above, "loss")
    above.set_title(f"{case.name}, {case.dtype}, seed {case.seed}")
    above.legend()
    _plot_difference(below, history)
    below.set_xlabel("epoch")
    _save(figure, path)


def _plot_difference(axes: Any, history: LossHistory) -> None:
    """How far the losses are apart, or that they never are."""
    difference = np.abs(np.subtract(history.reference, history.torch))
    if (difference > 0).any():
        axes.plot(history.epochs, np.where(difference > 0, difference, np.nan), ".", markersize=3)
        _scale(axes, "|difference| of the losses")
        axes.set_title("no point where they are equal", fontsize="small", loc="right")
    else:
        axes.set_yticks([])
        axes.set_ylabel("|difference| of the losses")
        told = "0 at every epoch" if len(difference) else "no epoch was completed"
        axes.text(0.5, 0.5, told, transform=axes.transAxes, ha="center")


def plot_training(trained: Trained, title: str, path: Path) -> None:
    """The loss over the epochs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(trained.epochs, trained.losses, _dots(trained.epochs))
    axes.set(title=title, xlabel="epoch", ylabel="loss", ylim=(0, None))
    axes.grid(alpha=0.3)
    _save(figure, path)


def _dots(epochs: Sequence[float]) -> str:
    """How to draw a curve: a few epochs are points too, or a single one would not be seen."""
    return ".-" if len(epochs) <= FEW else "-"


def _scale(axes: Any, label: str) -> None:
    axes.set_yscale("log")
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)


def _save(figure: Any, path: Path) -> None:
    import matplotlib

    kind = FORMATS[path.suffix.lower()]
    metadata = {"Date": None} if kind == "svg" else {}
    with matplotlib.rc_context({"svg.hashsalt": "backproof"}):
        write_whole(
            path, lambda file: figure.savefig(file, format=kind, metadata=metadata, dpi=120)
        )

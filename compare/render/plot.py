"""Curves of loss and of difference, as PNG or SVG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compare.errors import CannotCompare, UsageError
from compare.files import require_writable, write_whole
from compare.report import Report

if TYPE_CHECKING:
    from compare.solo import Trained

FORMATS = {".png": "png", ".svg": "svg"}


def require_plottable(path: Path) -> None:
    """Find out before the work whether a plot can be made at all.

    Raises:
        UsageError: the file's ending is not one of a picture, or it cannot be written.
        CannotCompare: matplotlib is not installed.
    """
    if path.suffix not in FORMATS:
        raise UsageError(f"cannot plot to {path}: its name should end in {' or '.join(FORMATS)}")
    require_writable(path)
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise CannotCompare(
            "plots need matplotlib, which is not installed; "
            "install it with: pip install -c constraints.txt -e '.[plot]'"
        ) from error


def plot_report(report: Report, path: Path) -> None:
    """Both losses above, their difference below, over the epochs, on logarithmic scales."""
    from matplotlib.figure import Figure

    history = report.history
    figure = Figure(figsize=(7, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(history.epochs, history.reference, label="reference", linewidth=3, alpha=0.5)
    above.plot(history.epochs, history.torch, label="torch", linewidth=1, color="black")
    _scale(above, "loss")
    above.set_title(f"{report.case.name}, {report.case.dtype}, seed {report.case.seed}")
    above.legend()
    difference = np.abs(np.subtract(history.reference, history.torch))
    below.plot(history.epochs, np.where(difference > 0, difference, np.nan), ".", markersize=3)
    _scale(below, "|difference| of the losses")
    below.set_xlabel("epoch (where the losses are equal, there is no point)")
    _save(figure, path)


def plot_training(trained: Trained, title: str, path: Path) -> None:
    """The loss over the epochs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(trained.epochs, trained.losses)
    axes.set(title=title, xlabel="epoch", ylabel="loss", ylim=(0, None))
    axes.grid(alpha=0.3)
    _save(figure, path)


def _scale(axes: Any, label: str) -> None:
    axes.set_yscale("log")
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)


def _save(figure: Any, path: Path) -> None:
    import matplotlib

    kind = FORMATS[path.suffix]
    metadata = {"Date": None} if kind == "svg" else {}
    with matplotlib.rc_context({"svg.hashsalt": "backproof"}):
        write_whole(
            path, lambda file: figure.savefig(file, format=kind, metadata=metadata, dpi=120)
        )

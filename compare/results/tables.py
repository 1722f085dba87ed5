"""What was measured, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from compare.measure.metrics import Metrics
from compare.results.document import Column, Table

_COLUMNS = (
    Column("quantity", right=False, wraps=True),
    Column("difference", short="differ"),
    Column("allowed"),
    Column("ratio"),
    Column("where", wraps=True),
    Column("epoch"),
    Column("detects", wide=True),
)


def metrics_table(
    title: str, several: Sequence[Metrics], multiple: float, epochs: bool = True
) -> Table:
    """A table with a row for each quantity.

    Args:
        title: what stands above it.
        several: what was measured of each.
        multiple: how many units of the tolerance were allowed.
        epochs: whether there are any.
    """
    shown = [epochs or column.name != "epoch" for column in _COLUMNS]
    marks = [_mark(metrics, multiple) for metrics in several]
    wanted = any(mark for mark, _ in marks)
    rows = []
    for metrics, (mark, style) in zip(several, marks, strict=True):
        name = f"{mark:<2}{metrics.quantity}" if wanted else metrics.quantity
        cells = name, *_numbers(metrics, multiple)
        rows.append((tuple(compress(cells, shown)), style))
    return Table(tuple(compress(_COLUMNS, shown)), rows, title)


def _mark(metrics: Metrics, multiple: float) -> tuple[str, str]:
    """What a row begins with and its colour; the mark is for where there are no colours."""
    if metrics.structure or metrics.first_beyond(multiple):
        return "!", "red"
    return ("", "") if metrics.decided and not metrics.unjudged else ("?", "yellow")


def _numbers(metrics: Metrics, multiple: float) -> tuple[str, ...]:
    worst = metrics.worst
    if metrics.structure is not None or worst is None:
        epoch = "" if metrics.structure is None else str(metrics.structure_epoch)
        return "none", "", "", "", epoch, ""
    where = ",".join(str(i) for i in worst.index)
    return (
        f"{worst.error:.1e}",
        f"{multiple * worst.unit:.1e}",
        f"{worst.ratio / multiple:.2g}",
        f"[{where}]" if where else "",
        str(worst.epoch),
        f"{metrics.detectable:.0e}",
    )

"""What a planted fault shows first."""

from __future__ import annotations

from compare.faults import Fault
from compare.results.checked import Checked

#: How a quantity is called that is of each kind.
KINDS = {"output": "output", "dx": "gradient at input"}


def first_wrong(checked: Checked) -> str:
    """What is the first to fail at the first step at which anything fails; nothing if nothing."""
    failures = checked.failures
    if not failures:
        return ""
    earliest = min(failure.epoch for failure in failures)
    return next(failure.quantity for failure in failures if failure.epoch == earliest)


def spoils(fault: Fault, quantity: str) -> bool:
    """Whether a quantity is of a kind that the fault says is the first to be wrong."""
    return any(_is(quantity, kind) for kind in fault.spoils.split(" or "))


def _is(quantity: str, kind: str) -> bool:
    kind, _, name = kind.partition(" ")
    if kind == "state":
        return quantity.startswith("state ") and quantity.endswith(f".{name}")
    if kind == "gradient":
        return quantity.startswith(f"gradient {name}")
    return quantity.startswith(KINDS.get(kind, f"{kind} "))

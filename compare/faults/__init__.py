"""The catalogue of faults: how people get backpropagation and update rules wrong.

Each is a change to something of the reference that is right. The audit plants them and shows that
each is caught, located and named; the diagnosis tries them to find out which one explains the
numbers of a network that disagrees.
"""

from __future__ import annotations

from compare.faults.fault import Fault
from compare.faults.layers import LAYERS

FAULTS: dict[str, Fault] = {fault.name: fault for fault in LAYERS}

__all__ = ["FAULTS", "Fault"]

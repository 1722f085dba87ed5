"""Where in a network, a loss or an update rule a fault can be planted."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeAlias

from compare.faults import Fault
from compare.sides.networks.taps import joined
from reference import Module

#: All that computes: ``network``, ``loss``, ``optimizer``, ``schedule``, ``rule`` and ``loop``, as
#: far as there is one.
Parts: TypeAlias = Mapping[str, Any]

#: Parts that train the others; those who use them copy them.
_TRAINING = ("side", "feed")

#: Attributes under which a module holds the one whose children pass for its own.
_INNER = ("network", "module")


@dataclass(frozen=True)
class Site:
    """A place for a fault.

    Attributes:
        role: which of the parts it is in.
        path: within the network; None for everywhere the fault fits.
    """

    role: str
    path: str | None = ""

    def __str__(self) -> str:
        if self.role != "network":
            return self.role
        return "everywhere" if self.path is None else self.path or "the layer itself"


def sites(fault: Fault, parts: Parts) -> list[Site]:
    """All places where a fault fits, and everywhere at once where there are several."""
    return sites_by_owner(parts).get(fault.owner, [])


def sites_by_owner(parts: Parts) -> dict[str, list[Site]]:
    """The same for the faults of every class, or function, that is there."""
    found: dict[str, dict[Site, None]] = {}
    for role, part in parts.items():
        if isinstance(part, Module):
            for name, path in _paths(part, ""):
                found.setdefault(name, {})[Site(role, path)] = None
        elif part is not None:
            found.setdefault(_name(part), {})[Site(role)] = None
    several = {name: list(places) for name, places in found.items()}
    for places in several.values():
        if len(places) > 1:
            places.append(Site(places[0].role, None))
    return several


def planted(fault: Fault, site: Site, parts: Parts) -> dict[str, Any]:
    """The parts with a fault in one of them; what is changed is copied, the rest is shared."""
    part = parts[site.role]
    if isinstance(part, Module):
        return {**parts, site.role: _replaced(fault, site.path, part, "")}
    return {**parts, site.role: fault.plant(part)}


def fresh(parts: Parts) -> dict[str, Any]:
    """A copy of parts that have made no step yet, whatever a fault in them may remember."""
    return copy.deepcopy({role: part for role, part in parts.items() if role not in _TRAINING})


def _paths(module: Module, path: str) -> Iterator[tuple[str, str]]:
    """The class of each module within, and where it is."""
    yield _name(module), path
    inner = _inner(module)
    if inner is not None:
        yield from _paths(getattr(module, inner), path)
        return
    for name, child in module.children().items():
        yield from _paths(child, joined(path, name))


def _name(thing: object) -> str:
    """The name by which a fault knows what it is about."""
    named: Any = thing if isinstance(thing, FunctionType) else type(thing)
    name: str = named.__name__
    return name


def _replaced(fault: Fault, wanted: str | None, module: Module, path: str) -> Module:
    """A module made anew, with the fault where it is wanted."""
    inner = _inner(module)
    if inner is not None:
        twin = copy.copy(module)
        vars(twin)[inner] = _replaced(fault, wanted, getattr(module, inner), path)
        if hasattr(twin, "held"):  # buffers, which a step changes
            vars(twin)["held"] = dict(twin.held)
    else:
        children = {
            name: _replaced(fault, wanted, child, joined(path, name))
            for name, child in module.children().items()
        }
        twin = module.with_children(children) if children else module
    return fault.plant(twin) if fault.fits(module) and wanted in (None, path) else twin


def _inner(module: Module) -> str | None:
    """The attribute that holds a module whose children pass for this one's."""
    for name in _INNER:
        held = vars(module).get(name)
        if isinstance(held, Module) and module.children() == held.children():
            return name
    return None

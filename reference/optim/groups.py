"""Parameter groups: which parameters are updated with which options.

As in PyTorch each parameter is in exactly one group, and a group's options override the
optimizer's. Parameters are told by name; a group without ``params`` takes all those that no other
group names, so ``groups=[{"params": ["0.bias"], "weight_decay": 0.0}, {}]`` spares one bias the
decay and leaves the rest as it is.

Source:
    https://docs.pytorch.org/docs/stable/optim.html#per-parameter-options
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Options: TypeAlias = dict[str, Any]

#: What to change in the options of each group, one mapping per group in their order.
Changes: TypeAlias = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Group:
    """Some parameters and the options they are updated with.

    Attributes:
        params: their names; None for all that no other group names.
        options: of the update rule, all of them.
    """

    params: tuple[str, ...] | None
    options: Options


def make_groups(
    owner: str, defaults: Options, groups: Sequence[Mapping[str, Any]] | None
) -> list[Group]:
    """Complete each group's options by the optimizer's.

    Args:
        owner: the optimizer's name, for messages.
        defaults: its own options.
        groups: what the user wrote; None for one group of all parameters.

    Raises:
        ValueError: an option is unknown, or a parameter in two groups.
    """
    made = []
    for group in [{}] if groups is None else groups:
        names = group.get("params")
        if isinstance(names, str):
            raise ValueError(f"{owner}: params is {names!r}, but should be a list of names")
        options = {key: value for key, value in group.items() if key != "params"}
        params = None if names is None else tuple(names)
        made.append(Group(params, override(owner, defaults, options)))
    _require_disjoint(owner, made)
    return made


def override(owner: str, options: Options, changes: Mapping[str, Any]) -> Options:
    """The options with some of them changed.

    Raises:
        ValueError: one to be changed is not there.
    """
    for name in changes.keys() - options.keys():
        raise ValueError(f"{owner}: has no option {name!r}, but only {', '.join(options)}")
    return options | dict(changes)


def assign(owner: str, groups: Sequence[Group], names: Iterable[str]) -> dict[str, int]:
    """The position of each parameter's group, by the parameter's name.

    Raises:
        ValueError: a parameter is in no group, or a group names one that there is not.
    """
    if len(groups) == 1 and groups[0].params is None:  # as nearly always, and in every step
        return dict.fromkeys(names, 0)
    index = {name: i for i, group in enumerate(groups) for name in group.params or ()}
    others = next((i for i, group in enumerate(groups) if group.params is None), None)
    names = list(names)
    unknown = [name for name in index if name not in names]
    if unknown:
        raise ValueError(f"{owner}: groups name {unknown}, but the parameters are {names}")
    homeless = [name for name in names if name not in index and others is None]
    if homeless:
        raise ValueError(
            f"{owner}: {homeless} are in no group, but should be in one; "
            f"a group {{}} without params takes all that no other names"
        )
    return {name: index.get(name, others or 0) for name in names}


def _require_disjoint(owner: str, groups: Sequence[Group]) -> None:
    counts = Counter(name for group in groups for name in group.params or ())
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise ValueError(f"{owner}: {twice} are in two groups, but should be in one")
    if sum(group.params is None for group in groups) > 1:
        raise ValueError(f"{owner}: two groups have no params, but at most one may take the rest")

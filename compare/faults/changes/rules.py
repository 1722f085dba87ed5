"""How update rules are made wrong.

A rule updates one parameter: ``update(p, g, held, o)`` gives it and its state after the step. Most
people get the state right and the step wrong, or the reverse; so these are told apart here.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from compare.faults.changes.methods import around
from compare.faults.fault import Changes, Method
from reference import Array, Params

Step = tuple[Array, Params]


def with_options(o: Any, **changed: Any) -> SimpleNamespace:
    """The options of a group with some of them changed."""
    return SimpleNamespace(**vars(o) | changed)


def update(function: Callable[..., Step]) -> Changes:
    """``function(right, self, p, g, held, o)`` in place of ``update(p, g, held, o)``."""
    return around("update", function)


def before(function: Callable[..., Step]) -> Changes:
    """The same where neither sign nor decay have been taken care of yet."""
    return around("_step_one", function)


def told(**changed: Callable[[Any], Any]) -> Changes:
    """The right rule, told other options: each is ``function(o)``."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Any:
        other = {name: value(o) for name, value in changed.items()}
        return right(self, p, g, held, with_options(o, **other))

    return update(wrong)


def step(
    function: Callable[[Any, Array, Array, Params, Params, Any], Array],
    where: Callable[[Any], bool] = lambda o: True,
) -> Changes:
    """A right state, and a parameter that is ``function(self, p, g, held, after, o)``.

    Args:
        function: gives the parameter.
        where: of which options; with others the step is right.
    """

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        stepped, after = right(self, p, g, held, o)
        return (function(self, p, g, held, after, o) if where(o) else stepped), after

    return update(wrong)


def step_with(change: Callable[[Any, Params, Any], Params]) -> Changes:
    """A right state, and the step that the rule makes if it begins with another one."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        _, after = right(self, p, g, held, o)
        return right(self, p, g, held | change(self, held, o), o)[0], after

    return update(wrong)


def step_told(**changed: Callable[[Any], Any]) -> Changes:
    """A right state, and the step that the rule makes if it is told other options."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        _, after = right(self, p, g, held, o)
        other = {name: value(o) for name, value in changed.items()}
        return right(self, p, g, held, with_options(o, **other))[0], after

    return update(wrong)


def kept(key: str, function: Callable[[Any, Array, Params, Params, Any], Array]) -> Changes:
    """A right step, after which ``function(self, g, held, after, o)`` is remembered as ``key``."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        stepped, after = right(self, p, g, held, o)
        if key not in after:
            return stepped, after
        return stepped, after | {key: function(self, g, held, after, o)}

    return update(wrong)


def kept_as(key: str, other: str) -> Changes:
    """A right step, after which what is remembered as ``other`` is ``key``, too."""
    return kept(key, lambda self, g, held, after, o: after[other])


def begun(change: Callable[[Any, Array, Array, Params, Any], Params]) -> Changes:
    """The right rule from another state: ``change(self, p, g, held, o)`` replaces part of it."""

    def wrong(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Any:
        return right(self, p, g, held | change(self, p, g, held, o), o)

    return update(wrong)


def afresh(*keys: str) -> Changes:
    """The right rule, for which what it remembers as ``keys`` is 0 at each step."""
    return begun(lambda self, p, g, held, o: dict.fromkeys(keys, 0 * p))


def fed(function: Callable[[Array, Any], Array]) -> Changes:
    """The right rule, given ``function(g, o)`` for its gradient."""
    return update(lambda right, self, p, g, held, o: right(self, p, function(g, o), held, o))


def decayed(wrong: Callable[..., Step], decoupled: bool = False) -> Changes:
    """A change to sign and decay, made only where there is decay, and of this kind."""

    def change(right: Method, self: Any, p: Array, g: Array, held: Params, o: Any) -> Step:
        kind = getattr(o, "decoupled_weight_decay", False)
        stepped: Step
        if o.weight_decay == 0 or kind != decoupled:
            stepped = right(self, p, g, held, o)
        else:
            stepped = wrong(right, self, p, g, held, o)
        return stepped

    return before(change)


def decay_told(function: Callable[[Array, Any], float], decoupled: bool = False) -> Changes:
    """The right rule, told another decay: ``function(p, o)``."""
    return decayed(
        lambda right, self, p, g, held, o: right(
            self, p, g, held, with_options(o, weight_decay=function(p, o))
        ),
        decoupled,
    )


def steps(function: Callable[..., Any]) -> Changes:
    """``function(right, self, params, grads, state, changes)`` in place of ``step``."""

    def wrong(
        right: Method, self: Any, params: Params, grads: Params, state: Any, changes: Any = None
    ) -> Any:
        return function(right, self, params, grads, state, changes)

    return around("step", wrong)

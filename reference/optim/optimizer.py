"""Update rules: parameters, gradients and a state in, parameters and a state out.

Nothing is changed in place: the arrays handed in are those of the step before, still intact. What
all rules share is here: options and groups, ascent for descent, and both kinds of weight decay.
A rule adds its own arithmetic for one parameter, :meth:`Optimizer.update`, entry by entry; an
ensemble of networks on leading axes is so updated in one pass.

**Weight decay** adds λ/2 ‖p‖² to the loss, whose gradient is λp. *Coupled* decay adds it to the
gradient, ``g ← g + λp``, and whatever the rule does to gradients it does to the decay as well:
averages it, and divides it by the size of past gradients, so that a parameter with large gradients
is hardly decayed. *Decoupled* decay shrinks the parameter itself, ``p ← p − lr·λ·p``, and leaves
the gradient alone. For plain gradient descent the two are the same.

Source:
    Loshchilov and Hutter, Decoupled Weight Decay Regularization, arXiv 1711.05101, equations 1
    and 2; https://docs.pytorch.org/docs/stable/optim.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference.module import Array, Params
from reference.optim.checks import require_numbers
from reference.optim.groups import Changes, Options, assign, make_groups, override
from reference.optim.precision import in_precision_of

State: TypeAlias = dict[str, Params]


class Optimizer:
    """An update rule: ``params, state = step(params, grads, state)``.

    Args:
        options: the rule's options and what they are by default.
        groups: parameters with options of their own: ``[{"params": ["0.bias"], "lr": 0.1}, {}]``;
            see :mod:`reference.optim.groups`.

    Attributes:
        groups: the parameter groups; one of all parameters if none were given.
        scalar_dtype: dtype of the scalars in a new state, such as ``step``; None for that of the
            parameter. PyTorch keeps them in its default dtype, beside float64 parameters too:
            float32 here follows it to the last bit.

    Raises:
        ValueError: an option is out of its range; the message names it.
    """

    scalar_dtype: npt.DTypeLike | None = None

    def __init__(self, options: Options, groups: Sequence[Mapping[str, Any]] | None = None) -> None:
        self.name = type(self).__name__
        self.groups = make_groups(self.name, options, groups)
        for group in self.groups:
            require_numbers(self.name, group.options)
            self.check(group.options)

    def check(self, options: Options) -> None:
        """Refuse options that make no sense.

        Raises:
            ValueError: one is out of its range.
        """

    def init(self, params: Params) -> State:
        """The state before the first step, by parameter and then by the state's own names.

        Most rules start with none: a parameter's state appears with its first gradient.
        """
        assign(self.name, self.groups, params)
        return {}

    def step(
        self, params: Params, grads: Params, state: State, changes: Changes | None = None
    ) -> tuple[Params, State]:
        """Make one step.

        Args:
            params: the parameters, by name.
            grads: the gradient of the loss for each of them, of the same shape. A parameter without
                one is left alone, and its state too.
            state: what :meth:`init` or the step before returned.
            changes: options to change for this step alone, one mapping per group, such as
                ``[{"lr": 0.1}]``. This is what a schedule gives.

        Returns:
            The parameters and the state after the step, as new arrays.

        Raises:
            ValueError: a gradient does not fit its parameter, or the changes the groups.
        """
        options = self._options(changes)
        index = assign(self.name, self.groups, params)
        self._check_gradients(params, grads)
        stepped, held = dict(params), dict(state)
        for name in (name for name in params if name in grads):
            p, g = params[name], grads[name]
            o = in_precision_of(p, options[index[name]])
            before = state[name] if name in state else self.fresh(p, o)
            stepped[name], after = self._step_one(p, g, before, o)
            if after:
                held[name] = after
        return stepped, held

    def fresh(self, p: Array, o: Any) -> Params:
        """The state of a parameter before its first gradient.

        Args:
            p: the parameter.
            o: the options of its group, as attributes.
        """
        return {}

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        """The rule itself, for one parameter.

        Args:
            p: the parameter.
            g: what to descend along: its gradient, with the sign and the decay taken care of.
            held: its state.
            o: the options of its group, as attributes.

        Returns:
            The parameter and its state after the step.
        """
        raise NotImplementedError

    def scalar(self, p: Array, value: float) -> Array:
        """A number for the state of ``p``, as an array without axes."""
        return np.full((), value, p.dtype if self.scalar_dtype is None else self.scalar_dtype)

    def count(self, held: Params) -> tuple[float, Array]:
        """t, the number of this step counted from 1, as a number and as the state holds it."""
        t = held["step"].item() + 1
        return t, np.full_like(held["step"], t)

    def _step_one(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        if o.maximize:
            g = -g
        decay = getattr(o, "weight_decay", 0)
        if decay != 0:
            if getattr(o, "decoupled_weight_decay", False):
                p = p * (1 - o.lr * decay)
            else:
                g = g + decay * p
        return self.update(p, g, held, o)

    def _options(self, changes: Changes | None) -> list[Options]:
        """The options of each group in this step."""
        if changes is None:
            return [group.options for group in self.groups]
        if len(changes) != len(self.groups):
            raise ValueError(
                f"{self.name}: changes are for {len(changes)} groups, "
                f"but should be for {len(self.groups)}"
            )
        return [
            override(self.name, group.options, change)
            for group, change in zip(self.groups, changes, strict=True)
        ]

    def _check_gradients(self, params: Params, grads: Params) -> None:
        for name, g in grads.items():
            if name not in params:
                raise ValueError(f"{self.name}: {name!r} has a gradient but is no parameter")
            if g.shape != params[name].shape:
                raise ValueError(
                    f"{self.name}: the gradient of {name!r} has shape {g.shape}, "
                    f"but should have {params[name].shape}"
                )

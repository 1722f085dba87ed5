"""Copies of a user's modules, which are what is trained, and what a copy would lose.

``copy.deepcopy`` copies parameters, buffers, hooks and methods. A plain function is not copied but
shared. One that uses the module by name, not as the argument that it is handed, would then compute
with the original's parameters, and what was compared would be neither module.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.optim import Optimizer

from compare.base.errors import CannotCompare
from compare.sides.networks.compiled import compile_again, is_compiled_forward, is_wrapper

M = TypeVar("M", bound=nn.Module)

#: So far into what a function uses its module is looked for.
DEPTH = 6

#: What nothing is looked for in.
ATOMS = (Tensor, ModuleType, type, str, bytes, int, float, nn.Module, Optimizer)


def copied(module: M) -> M:
    """A copy that computes what the module does, compiled as that is.

    Raises:
        CannotCompare: it cannot be copied.
    """
    try:
        twin = copy.deepcopy(module)
    except Exception as error:  # whatever a module does when it is copied
        raise CannotCompare(
            f"the {type(module).__name__} cannot be copied, so that it would be trained itself: "
            f"{type(error).__name__}: {error}"
        ) from error
    compile_again(module, twin)
    return twin


def require_copies_alike(module: nn.Module, *others: object) -> None:
    """Refuse functions that would go on using the original, once the module is copied.

    Args:
        module: the module.
        others: what else is not to be used by name, such as the optimizer.

    Raises:
        CannotCompare: there is one; it and its place are named.
    """
    known = {id(one) for one in (*module.modules(), *module.parameters(), *module.buffers())}
    known |= {id(one) for one in others}
    for path, layer in module.named_modules():
        for name, function in _functions(layer):
            if _uses(function, known):
                where = f"at {path!r}" if path else "itself"
                told = getattr(function, "__qualname__", repr(function))
                raise CannotCompare(
                    f"the module {where}, a {type(layer).__name__}, has a function in {name}, "
                    f"{told}, which uses the module by name, so that the copy that is trained "
                    f"would compute with the original; let it use the module that it is handed, "
                    f"or define forward in the class"
                )


def _functions(layer: nn.Module) -> Iterator[tuple[str, Any]]:
    """The plain functions of a layer, with where they are: its forward's, its hooks, its values."""
    if not str(type(layer).__module__).startswith("torch."):
        yield "its class", type(layer).forward
    if is_wrapper(layer):
        return  # whose function is made anew
    for name, value in vars(layer).items():
        if name == "_compiled_call_impl" or (name == "forward" and is_compiled_forward(layer)):
            continue
        values = value.values() if isinstance(value, Mapping) else [value]
        for one in values:
            plain = one.func if isinstance(one, partial) else getattr(one, "__func__", one)
            if isinstance(plain, FunctionType):
                yield name, plain


def _uses(function: FunctionType, known: set[int]) -> bool:
    """Whether any of what is known can be reached from what a function uses."""
    seen: set[int] = set()
    layer: list[object] = [function]
    for _ in range(DEPTH):
        if any(id(one) in known for one in layer):
            return True
        layer = [one for one in layer if not isinstance(one, ATOMS) and id(one) not in seen]
        seen |= {id(one) for one in layer}
        layer = [inner for one in layer for inner in _within(one)]
    return False


def _within(value: object) -> Iterable[object]:
    if isinstance(value, FunctionType):
        return () if str(value.__module__).startswith("torch.") else _used(value)
    if isinstance(value, MethodType):
        return value.__self__, value.__func__
    if isinstance(value, partial):
        return value.func, *value.args, *value.keywords.values()
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return value
    return list(getattr(value, "__dict__", {}).values())


def _used(function: FunctionType) -> Iterator[object]:
    """The values of the names that a function takes from around it, and its default arguments."""
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not yet filled
            continue
    for name in function.__code__.co_names:
        if name in function.__globals__:
            yield function.__globals__[name]

"""Modules that ``torch.compile`` has taken: found, and compiled again once they are copied.

There are three ways. ``torch.compile(module)`` wraps it in a module of its own, which a copy takes
along. ``module.compile()`` leaves behind a function that a copy loses, and ``module.forward =
torch.compile(module.forward)`` one that goes on computing with the original.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, MethodType
from typing import Any

from torch import nn

from compare.base.errors import CannotCompare
from compare.sides.networks.taps import joined

Compile = Callable[[Any], Any]


def is_wrapper(module: nn.Module) -> bool:
    """Whether it is what ``torch.compile(module)`` gives, with the module as ``_orig_mod``."""
    kind = type(module)
    return (kind.__module__, kind.__name__) == ("torch._dynamo.eval_frame", "OptimizedModule")


def compile_again(module: nn.Module, copied: nn.Module) -> None:
    """Compile within a copy what was compiled in the original, by the same backend and options.

    Raises:
        CannotCompare: how it was compiled cannot be found out.
    """
    for path, layer in module.named_modules():
        twin = copied.get_submodule(path)
        call = layer._compiled_call_impl
        if call is not None:
            vars(twin)["_compiled_call_impl"] = _compiler(call, path)(twin._call_impl)
        forward = _compiled_forward(layer)
        if forward is not None:
            own = MethodType(type(twin).forward, twin)
            vars(twin)["forward"] = _compiler(forward, path)(own)


def compiled_paths(module: nn.Module) -> Iterator[str]:
    """The layers that run within a compiled one, where nothing can be watched."""
    compiled: list[str] = []
    for path, layer in module.named_modules(remove_duplicate=False):
        if any(_is_within(path, one) for one in compiled):
            yield path
        elif is_wrapper(layer):
            compiled.append(joined(path, "_orig_mod"))
        elif _is_compiled(layer):
            compiled.append(path)
            yield path


def _is_compiled(layer: nn.Module) -> bool:
    return (
        is_wrapper(layer)
        or layer._compiled_call_impl is not None
        or _compiled_forward(layer) is not None
    )


def _is_within(path: str, outer: str) -> bool:
    return outer in ("", path) or path.startswith(f"{outer}.")


@contextmanager
def compiling(*modules: nn.Module) -> Iterator[None]:
    """Within the block, what is compiled is compiled, or an error.

    Otherwise it would be run without its compiler, and without a word, once one function was
    compiled for eight modules or kinds of input; if it was before the block, that is forgotten.
    """
    if not any(_is_compiled(layer) for module in modules for layer in module.modules()):
        yield
        return
    from torch._dynamo import config, reset  # takes a second

    reset()
    more: dict[str, Any] = dict.fromkeys(("recompile_limit", "accumulated_recompile_limit"), 4096)
    with config.patch(more | {"fail_on_recompile_limit_hit": True}), warnings.catch_warnings():
        # The compiler itself looks at the gradient of what a compiled loss is given.
        warnings.filterwarnings("ignore", "The .grad attribute of a Tensor", UserWarning)
        yield


def require_no_compiled_dropout(module: nn.Module) -> None:
    """Refuse dropout where it is compiled, as a compiler may draw its masks in its own way.

    Raises:
        CannotCompare: there is one in training.
    """
    for path in compiled_paths(module):
        layer = module.get_submodule(path)
        if isinstance(layer, nn.Dropout) and layer.training and layer.p > 0:
            raise CannotCompare(
                f"the module at {path!r}, a Dropout, is compiled, so that its masks cannot be "
                f"seen; put it into evaluation, or make it with p=0"
            )


def is_compiled_forward(layer: nn.Module) -> bool:
    """Whether its forward is its own class's, compiled."""
    return _compiled_forward(layer) is not None


def _compiled_forward(layer: nn.Module) -> Any:
    """The layer's own forward, if that was compiled and put in its place."""
    forward = vars(layer).get("forward")
    original = getattr(forward, "_torchdynamo_orig_callable", None)
    if is_wrapper(layer) or not isinstance(original, MethodType):
        return None
    own = original.__self__ is layer and original.__func__ is type(layer).forward
    return forward if own else None


def _compiler(compiled: Any, path: str) -> Compile:
    """What made this compiled function; it is kept in it under the name ``self``."""
    if isinstance(compiled, FunctionType):
        cells = zip(compiled.__code__.co_freevars, compiled.__closure__ or (), strict=True)
        found = dict(cells).get("self")
        if found is not None and callable(found.cell_contents):
            return found.cell_contents  # type: ignore[no-any-return]
    where = f"the module at {path!r}" if path else "the module"
    raise CannotCompare(
        f"{where} is compiled in a way that a copy, which is what is trained, cannot be; hand in "
        f"torch.compile(module), or the module as it was before"
    )

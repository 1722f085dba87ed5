"""A user's file, run as Python would run it, with its function that describes a comparison."""

from __future__ import annotations

import contextlib
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from backproof.packages import users_first
from compare.base.errors import CannotCompare, UsageError
from compare.own.api import Progress, crosscheck
from compare.own.explain import remarks
from compare.own.explain.explain_verdict import told_at_once
from compare.own.isolation.process_state import kept_world
from compare.own.isolation.timeout import time_limit
from compare.own.parse_target import Target
from compare.own.user.run import Runner
from compare.results.own_report import CrossReport

#: Options that are one setting, so that those of the file do not mix with others.
_ONE = frozenset({"tolerance", "rtol", "atol"})

#: What a user's file is called as a module, so that ``if __name__ == "__main__"`` is not run.
MODULE = "backproof_checked"


def check_file(
    target: Target,
    timeout: float | None,
    options: Mapping[str, Any],
    progress: Progress = lambda done, total: None,
    stands: Callable[[CrossReport], object] = lambda report: None,
) -> CrossReport:
    """Run the comparison that a file describes.

    Args:
        target: the file and its function, which takes nothing, and returns the arguments
            of :func:`compare.crosscheck` as a dict, or the report of a call of it.
        timeout: seconds after which to give up.
        options: more arguments of ``crosscheck``, None if not given; they come before those in the
            file.
        progress: told how many entries are done, and of how many.
        stands: told of a verdict before it is explained, unless the file has called ``crosscheck``.

    Raises:
        UsageError: there is no such function, what it describes makes no sense, or it leaves no
            room for the options that are given.
        CannotCompare: the file or the function raises, or gives something else.
    """
    path, name = target.path, target.function
    run = Runner(keeps=True)
    with users_first(path.resolve().parent), kept_world(), time_limit(timeout), _importable(path):
        function = _function(_module(path, run), target)
        described = run(f"{name} in {path.name}", function)
        given = {key: value for key, value in options.items() if value is not None}
        if isinstance(described, CrossReport):
            _require_no_options(given, target)
            return _with_printed(described, run)
        if not isinstance(described, Mapping):
            raise CannotCompare(
                f"{name} in {path} returns {type(described).__name__}, but should return the "
                f"arguments of crosscheck, as dict(parameters=..., step=..., ...), or its report"
            )
        if given.keys() & _ONE:
            described = {key: value for key, value in described.items() if key not in _ONE}
        with told_at_once(lambda report: stands(_with_printed(report, run))):
            report = _described({"progress": progress, **described, **given}, target)
        return _with_printed(report, run)


def _require_no_options(given: Mapping[str, Any], target: Target) -> None:
    if given:
        options = ", ".join(f"--{key}" for key in given)
        raise UsageError(
            f"{target.function} in {target.path} calls crosscheck itself, so that {options} would "
            f"do nothing: say it there, or return the arguments of crosscheck, dict(...), instead "
            f"of its report"
        )


def _with_printed(report: CrossReport, run: Runner) -> CrossReport:
    """The report, with a remark on what was printed before the comparison began."""
    told = remarks.printed(run.lines, "your file and its function")
    return replace(report, remarks=(*report.remarks, *told))


def _module(path: Path, run: Runner) -> types.ModuleType:
    """The file's contents, run."""
    module = types.ModuleType(MODULE)
    module.__file__ = str(path.resolve())
    try:
        source = path.read_bytes()
        code = compile(source, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        number = getattr(error, "lineno", None)
        line = f", line {number}" if number else ""
        raise CannotCompare(f"{path}{line} is not Python: {error}") from error
    except OSError as error:
        raise CannotCompare(f"cannot read {path}: {error.strerror}") from error
    sys.modules[MODULE] = module
    run(str(path), exec, code, vars(module))
    return module


def _function(module: types.ModuleType, target: Target) -> Callable[[], Any]:
    found = getattr(module, target.function, None)
    if not callable(found):
        functions = [
            n for n, value in vars(module).items() if isinstance(value, types.FunctionType)
        ]
        known = f"; it has {', '.join(functions)}" if functions else ""
        raise UsageError(
            f"{target.path} has no function {target.function!r} that describes the comparison"
            f"{known}; name another with {target.path}:FUNCTION, or let `init` write one"
        )
    function: Callable[[], Any] = found
    return function


def _described(described: dict[str, Any], target: Target) -> CrossReport:
    known = inspect.signature(crosscheck).parameters
    unknown = [str(key) for key in described if key not in known]
    if unknown or "parameters" not in described:
        wrong = f"has {', '.join(unknown)}" if unknown else "has no parameters"
        raise UsageError(
            f"what {target.function} in {target.path} returns {wrong}; it should be made "
            f"of {', '.join(known)}"
        )
    return crosscheck(**described)


@contextmanager
def _importable(path: Path) -> Iterator[None]:
    """What lies beside the file can be imported, as when Python runs it; nothing of it stays."""
    before = dict(sys.modules)
    arguments = list(sys.argv)
    sys.path.insert(0, str(path.resolve().parent))
    sys.argv[:] = [str(path)]
    try:
        yield
    finally:
        sys.argv[:] = arguments
        with contextlib.suppress(ValueError):
            sys.path.remove(str(path.resolve().parent))
        for name in set(sys.modules) - set(before):
            if name == MODULE or _lies_beside(sys.modules[name], path):
                del sys.modules[name]


def _lies_beside(module: types.ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(path.resolve().parent)

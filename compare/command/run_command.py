"""What every command has to do with the process around it: signals, pipes, errors, a progress bar.

Only the command line imports this module.
"""

from __future__ import annotations

import functools
import io
import os
import shutil
import signal
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

import typer

from compare.base.errors import BackproofError, CannotCompare, UsageError
from compare.base.printable import printable
from compare.process.blame import fault
from compare.process.loading import ENDED, INTERRUPTED, missing
from compare.process.startup import settle, start

if TYPE_CHECKING:
    from rich.console import Console

P = ParamSpec("P")
R = TypeVar("R")

#: Exit code when nobody reads the output any more: 128 and the number of the signal for that.
UNREAD = 128 + 13

#: Columns of a file or a pipe: enough for any table.
UNLIMITED = 200

#: Columns that every table needs, however narrow a terminal says it is.
NARROWEST = 40


def run_as_process(app: Callable[[], object]) -> None:
    """Run the command line as all that this process does."""
    start()
    _hear_signals()
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started the process
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold any bytes
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(_interrupted())
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # of which typer makes 1, *disagree*
            _discard_output()
            sys.exit(UNREAD)
        if error.code == INTERRUPTED:
            _interrupted()
        elif isinstance(error, Ended):
            with suppress(OSError):
                typer.echo(error.told, err=True)
        raise
    except OSError as error:  # outside of any command, such as help on a full disk
        with suppress(OSError):
            tell(_failed(error))
        sys.exit(CannotCompare.exit_code)
    except Exception:  # a fault of this program is no verdict; Python would make it 1, *disagree*
        with suppress(OSError):
            traceback.print_exc()
        sys.exit(CannotCompare.exit_code)
    finally:
        settle()


class Ended(SystemExit):
    """Raised where this process is when somebody ends it, so that it leaves nothing behind.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.told = ENDED[signal.Signals(number).name]


def _hear_signals() -> None:
    """End in order on the signals that end a process, unless it was started to ignore them."""
    numbers = [getattr(signal, name) for name in ENDED if hasattr(signal, name)]
    heard = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: types.FrameType | None) -> None:
        for one in heard:
            signal.signal(one, signal.SIG_IGN)  # what has begun to end is not disturbed
        raise Ended(number)

    for number in heard:
        signal.signal(number, end)


def _interrupted() -> int:
    """Say that the user has interrupted, on a line of its own below the terminal's ``^C``."""
    typer.echo("\nInterrupted." if sys.stderr.isatty() else "Interrupted.", err=True)
    return INTERRUPTED


class Refused(typer.BadParameter):
    """A usage error that is shown as typer shows its own, with the command's usage above it."""

    def format_message(self) -> str:
        return self.message


def told(command: Callable[P, R]) -> Callable[P, R]:
    """Tell what a user can cause in one line on standard error, without a traceback."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            result = command(*args, **kwargs)
            sys.stdout.flush()
            return result
        except UsageError as error:
            raise Refused(str(error)) from error
        except BackproofError as error:
            stop(str(error), error.exit_code)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _discard_output()
            raise typer.Exit(UNREAD) from None
        except ModuleNotFoundError as error:
            stop(missing(error), CannotCompare.exit_code)
        except MemoryError as error:
            stop(f"not enough memory: {error}", CannotCompare.exit_code)
        except OSError as error:
            stop(_failed(error), CannotCompare.exit_code)

    return wrapper


def _failed(error: OSError) -> str:
    """What an error that has no better words was about."""
    reason = error.strerror or str(error)
    if not _can_be_written():
        _discard_output()
        return f"cannot write to standard output: {reason}"
    return reason if error.filename is None else f"{error.filename}: {reason}"


def _can_be_written() -> bool:
    """Whether standard output takes what it has been given so far."""
    try:
        sys.stdout.write("")
        sys.stdout.flush()
    except OSError:
        return False
    return True


def stop(message: str, code: int) -> NoReturn:
    """Say why there is no result, and exit."""
    tell(message)
    raise typer.Exit(code)


def tell(message: str) -> None:
    """Say that something went wrong."""
    typer.echo(f"Error: {printable(message)}", err=True)


def note(message: str) -> None:
    """Say something beside a result."""
    typer.echo(f"Note: {printable(message)}", err=True)


@contextmanager
def unread_is_no_error() -> Iterator[None]:
    """Within the block, output may go unread: whoever reads ``| head -1`` still gets a verdict."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()


@contextmanager
def showing() -> Iterator[None]:
    """Within the block a report is shown; a fault of this program in that leaves its verdict."""
    try:
        with unread_is_no_error():
            yield
    except OSError:
        raise  # nobody can see it
    except Exception as error:
        tell(f"the report cannot be shown, and its verdict is the exit code: {fault(error)}")


def _discard_output() -> None:
    """Send the rest to nowhere, or Python would try to write it once more as it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def results() -> Console:
    """A console for results, on standard output."""
    from rich.console import Console

    class Results(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would exit with 1, which here means *disagree*

    return Results(width=columns())


def columns() -> int:
    """What COLUMNS says, if it is a number above 0, or as many as the terminal has."""
    try:
        number = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        number = 0
    if number < 1:
        number = shutil.get_terminal_size().columns if sys.stdout.isatty() else UNLIMITED
    return max(number, NARROWEST)


@contextmanager
def progress(title: str, epochs: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while that is a terminal; gives the function that moves it."""
    settle()
    if not sys.stderr.isatty():
        yield lambda epoch: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(printable(title)), total=epochs)
        yield lambda epoch: bar.update(task, completed=epoch)

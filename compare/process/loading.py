"""What may go wrong while the command line is being loaded, before it can tell of it itself."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: 128 and the number of the signal, as a shell would report it.
INTERRUPTED = 128 + 2

#: Signals by which others end a process, and what is said then.
ENDED = {"SIGTERM": "Ended by SIGTERM.", "SIGHUP": "Ended by SIGHUP: the terminal is gone."}


@contextmanager
def loading() -> Iterator[None]:
    """Within the block, an interruption or a missing package ends the process with one line."""
    try:
        yield
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except ModuleNotFoundError as error:
        print(f"Error: {missing(error)}", file=sys.stderr)
        raise SystemExit(3) from None
    except Exception:  # such as a package that is broken; Python would make it 1, *disagree*
        traceback.print_exc()
        raise SystemExit(3) from None


def missing(error: ModuleNotFoundError) -> str:
    """What to do about a package that is not there."""
    return f"{error.name} is not installed; install it with: {install()}"


def install(extra: str = "") -> str:
    """The command that installs Backproof with one of its extras, in a clone and elsewhere."""
    clone = (Path(__file__).resolve().parents[2] / "pyproject.toml").is_file()
    name = "." if clone else "backproof"
    options = "-c constraints.txt -e " if clone else ""
    return f"pip install {options}" + (f'"{name}[{extra}]"' if extra else name)

"""Running Python in a process of its own, where nothing has been imported yet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]


def run(program: str) -> str:
    """Run a program from the root of the repository, warnings being errors; give its output."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(program)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that are loaded after a statement."""
    modules = run(f"import sys\n{statement}\nprint(*sys.modules)").split()
    return {module.partition(".")[0] for module in modules}

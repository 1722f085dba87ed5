"""Backproof's packages and a user's modules of the same names, in one process and in two."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import backproof
import compare
from tests.support.processes import ROOT, loaded_by

#: A file to check, whose helpers have the names of Backproof's packages, and more of them.
CHECKED = """
import numpy as np
import compare, reference, backproof
from compare.base.errors import mine
import cli

def check():
    import torch_impl
    assert mine == reference.mine == compare.mine == cli.mine == torch_impl.mine == "mine"
    from reference import later
    weight = np.array([[1.0, -2.0], [0.5, 3.0]])
    return dict(parameters={"w": weight}, grads=lambda: later.factor * np.cos(weight),
                torch_loss=lambda p: compare.loss(p["w"]))
"""

#: What is in the user's folder besides.
BESIDE = {
    "compare/__init__.py": "mine = 'mine'\nfrom .inner import loss\n",
    "compare/inner.py": "import reference\ndef loss(w):\n    from . import inner\n"
    "    assert reference.mine == 'mine'\n    return w.sin().sum()\n",
    "compare/base/__init__.py": "",
    "compare/base/errors.py": "mine = 'mine'\n",
    "reference/__init__.py": "mine = 'mine'\n",
    "reference/later.py": "factor = {factor}\n",
    "torch_impl.py": "mine = 'mine'\n",
    "cli.py": "mine = 'mine'\n",
    "tests/__init__.py": "",
    "conftest.py": "import compare\nassert compare.mine == 'mine'\n",
    "test_theirs.py": "import compare\n\ndef test_it():\n    assert compare.mine == 'mine'\n",
    "test_ours.py": "def test_it(crosscheck):\n    crosscheck({}, grads=dict)\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, 1.0)
    return tmp_path


def write(folder: Path, factor: float) -> None:
    for name, text in BESIDE.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("{factor}", str(factor)))
    (folder / "net.py").write_text(CHECKED)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process in the user's folder, which is first on its import path."""
    start = f"import sys; sys.path[1:1] = [{str(ROOT)!r}]; import runpy; sys.argv = {arguments!r}; "
    start = start.replace("sys.argv = (", "sys.argv = list((").replace("); ", ")); ")
    start += "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
    return subprocess.run(
        [sys.executable, "-c", start], cwd=folder, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (1.001, 1)])
def test_a_checked_file_imports_what_lies_beside_it(
    tmp_path: Path, factor: float, code: int
) -> None:
    write(tmp_path, factor)
    done = run(tmp_path, "backproof", "check", "net.py")
    assert done.returncode == code, done.stdout + done.stderr
    assert ("one factor of 1.001" in done.stdout) == bool(code)


def test_tests_of_a_project_with_such_names_run(folder: Path) -> None:
    done = run(folder, "pytest", "-q", "-p", "no:cacheprovider", "test_theirs.py")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_fixture_says_which_module_is_in_the_way(folder: Path) -> None:
    done = run(folder, "pytest", "-q", "-p", "no:cacheprovider", "test_ours.py")
    assert done.returncode == 1, done.stdout + done.stderr
    wanted = f"Backproof needs its own package 'compare', but {folder}/compare/__init__.py is in"
    assert wanted in done.stdout
    assert "Traceback" not in done.stdout


def test_import_says_which_module_is_in_the_way(folder: Path) -> None:
    (folder / "use.py").write_text("from backproof import crosscheck\n")
    done = run(folder, "use")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "Backproof needs its own package 'compare'" in last


def test_door_has_all_that_compare_has() -> None:
    assert set(backproof.__all__) - {"__version__"} == set(compare.__all__)
    for name in compare.__all__:
        assert getattr(backproof, name) is getattr(compare, name)
    assert "crosscheck" in dir(backproof)
    with pytest.raises(AttributeError, match="nothing"):
        _ = backproof.nothing


def test_version_is_that_of_the_package() -> None:
    assert importlib.metadata.version("backproof") == backproof.__version__


def test_plugin_and_door_load_nothing() -> None:
    loaded = loaded_by("import backproof, backproof.pytest_plugin")
    assert loaded & {"compare", "numpy", "torch", "reference", "torch_impl"} == set()


def test_former_place_still_works() -> None:
    import compare.diagnosis
    from compare.diagnosis.signatures.read import read

    with pytest.warns(DeprecationWarning, match=r"compare\.diagnosis\.signatures\.read"):
        assert compare.diagnosis.read is read
    with pytest.raises(AttributeError):
        _ = compare.diagnosis.nothing

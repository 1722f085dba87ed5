"""The manual leaves nothing out, names no file that is not there, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import backproof
from compare.cases.registry import CASES
from compare.catalogue.table import CATALOGUE
from docs.chapters import PAGES, escaped, in_reading_order, relinked, title, write_chapters
from tests.support.processes import ROOT
from tests.test_levels import STAGES

DOCS = ROOT / "docs"
ON_CODE = ("architecture", "adding")
#: From where pages name files.
NAMED_FROM = ("", "compare", "compare/own", "compare/own/explain", "compare/diagnosis")
FOLDERS = [path.parent.name for path in sorted((ROOT / "compare").glob("*/__init__.py"))]


@pytest.fixture(scope="module")
def chapters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    manual = tmp_path_factory.mktemp("manual")
    write_chapters(manual)
    return manual / "pages"


def test_each_file_of_both_sides_has_a_page(chapters: Path) -> None:
    for package in ("reference", "torch_impl"):
        for file in (ROOT / package).rglob("*.py"):
            place = file.parent if file.name == "__init__.py" else file.with_suffix("")
            page = chapters / place.relative_to(ROOT).with_suffix(".md")
            module = ".".join(place.relative_to(ROOT).parts)
            assert f".. automodule:: {module}\n" in page.read_text(encoding="utf-8")


def test_pages_of_an_earlier_build_go(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "gone.md").write_text("# A file that was renamed")
    write_chapters(tmp_path)
    assert not (tmp_path / "pages" / "gone.md").exists()


def test_each_public_name_is_in_the_api() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert set(re.findall(r":: backproof\.(\w+)$", text, re.M)) | {"__version__"} == set(
        backproof.__all__
    )


def test_each_page_is_in_the_index() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in DOCS.glob("*.md"):
        assert page.name == "index.md" or f"]({page.name})" in text


@pytest.mark.parametrize("page", [*DOCS.glob("*.md"), *map(ROOT.joinpath, PAGES)], ids=str)
def test_links_lead_to_files_where_they_stand(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for link in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text):
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("name", ON_CODE)
def test_each_file_that_is_named_is_there(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    paths = re.findall(r"(?<![\w/.])((?:\w+/)+(?:\w+\.\w+)?)(?![\w/])", text)
    assert len(paths) > 10
    for path in paths:
        assert any((ROOT / place / path).exists() for place in NAMED_FROM), path


def test_each_folder_is_in_the_table_at_its_level() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    levels = {folder: int(n) for n, folder in re.findall(r"^\| (\d+) \| `(\w+)/`", text, re.M)}
    assert sorted(levels) == FOLDERS
    for level, folders in enumerate(STAGES, 1):
        assert all(levels[folder] == level for folder in folders if folder in FOLDERS)


def test_links_lead_from_a_page_to_pages() -> None:
    page = PAGES["README.md"]
    text = "[a](docs/audit.md#b), [c](CHANGELOG.md), [d](https://e), [f](#g)"
    expected = "[a](../audit.md#b), [c](changelog.md), [d](https://e), [f](#g)"
    assert relinked(text, "README.md", page) == expected
    assert relinked("[a](../README.md)", "docs/x.md", "docs/x.md") == "[a](pages/start.md)"


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("where |x| < 1, and ``|x|`` is", "where \\|x\\| < 1, and ``|x|`` is"),
        ("shape (*, n), *will* and **so**", "shape (\\*, n), *will* and **so**"),
        ("as clip_grad_norm_ does", "as clip_grad_norm\\_ does"),
        ("so::\n\n    y = |x|\n\nis |y|", "so::\n\n    y = |x|\n\nis \\|y\\|"),
    ],
)
def test_signs_of_mathematics_stand_for_themselves(docstring: str, expected: str) -> None:
    assert escaped(docstring) == expected


def test_a_page_is_called_what_its_file_is_about(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text('"""Masks: what is hidden.\n\nMore."""\n', encoding="utf-8")
    assert title(file) == "Masks"
    file.write_text('"""The straight line.\n\nMore: all."""\n', encoding="utf-8")
    assert title(file) == "The straight line"


def test_chapters_come_as_the_readme_has_them(tmp_path: Path) -> None:
    children = [tmp_path / name for name in ("a.py", "b.py", "c")]
    assert in_reading_order(tmp_path, children) == children
    (tmp_path / "README.md").write_text("First [c](c/d.py), then [b](b.py).", encoding="utf-8")
    assert [path.name for path in in_reading_order(tmp_path, children)] == ["c", "b.py", "a.py"]


def test_each_chapter_of_the_reading_order_can_be_compared() -> None:
    text = (ROOT / "reference" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[[\w/.]+\]\(([\w/.]+)\) \|.*\| `(\w[\w-]*)` \|$", text, re.M)
    assert len(rows) > 20
    for chapter, name in rows:
        assert (ROOT / "reference" / chapter).is_file()
        assert name in CASES or name in CATALOGUE

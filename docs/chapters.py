"""The manual's pages that are written when it is built; git ignores them.

One for each file of ``reference/`` and ``torch_impl/``, with its docstrings and so its derivations;
and README.md, CONTRIBUTING.md and the like, whose links are made to lead to pages.
"""

from __future__ import annotations

import ast
import posixpath
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("reference", "torch_impl")
FOLDER = "pages"  # of the pages, in that of the manual

#: Files that are pages of the manual, too.
PAGES = {
    "README.md": "docs/pages/start.md",
    "CONTRIBUTING.md": "docs/pages/contributing.md",
    "RELEASING.md": "docs/pages/releasing.md",
    "CHANGELOG.md": "docs/pages/changelog.md",
    "reference/README.md": "docs/pages/reading-order.md",
}


def write_chapters(manual: Path) -> None:
    """Write the pages, in place of those of an earlier build.

    Args:
        manual: the folder of the manual's pages.
    """
    shutil.rmtree(manual / FOLDER, ignore_errors=True)
    for package in PACKAGES:
        _write_folder(ROOT / package, manual / FOLDER)
    for file, page in PAGES.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        (manual / FOLDER / Path(page).name).write_text(relinked(text, file, page), encoding="utf-8")


def relinked(text: str, file: str, page: str) -> str:
    """A file's text with links that lead from its page to other pages.

    Args:
        text: Markdown.
        file: where it stands, from the root of the project.
        page: where its page stands; the same for a page of the manual as it is.
    """

    def link(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(file), found[1]))
        if target.split("/")[0] in PACKAGES and target not in PAGES:  # a chapter
            target = f"docs/{FOLDER}/{target.removesuffix('.py')}.md"
        target = PAGES.get(target, target)
        return f"]({posixpath.relpath(target, posixpath.dirname(page))}{found[2] or ''})"

    return re.sub(r"\]\((?!\w+:)([^)#\s]+)(#[^)\s]*)?\)", link, text)


def escaped(docstring: str) -> str:
    """A docstring in which no sign of mathematics is taken for markup.

    What stands between double backticks and in indented blocks after ``::`` is left as it is.
    """
    literal = r"``.+?``|::\n(?:[ ]*\n|[ ]+[^\n]+(?:\n|$))+"

    def escape(found: re.Match[str]) -> str:
        return found[1] or f"\\{found[0]}"

    # A star that touches no word is no emphasis; an underscore at the end of a word is no link.
    star, underscore = r"(?<![\w.*])\*(?![\w*])", r"(?<=\w)_(?!\w)"
    return re.sub(rf"({literal})|\||{star}|{underscore}", escape, docstring, flags=re.S)


def in_reading_order(folder: Path, children: list[Path]) -> list[Path]:
    """Those that the folder's README.md links to in the order of its links, then all others."""
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    links = [link.split("/")[0] for link in re.findall(r"\]\(([^)#]+)", text)]
    return sorted(children, key=lambda p: links.index(p.name) if p.name in links else len(links))


def title(file: Path) -> str:
    """What the file is about: its docstring up to the first colon, comma or full stop."""
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or file.stem
    return re.split(r"[.:,](?:\s|$)", docstring, maxsplit=1)[0]


def _write_folder(folder: Path, into: Path) -> None:
    """Write the page of a package, those of its files and those of the packages in it."""
    children = [path for path in sorted(folder.iterdir()) if _is_chapter(path)]
    for path in children:
        if path.is_dir():
            _write_folder(path, into / folder.name)
        else:
            _write(into / folder.name / f"{path.stem}.md", path, [":members:"])
    contents = [f"{folder.name}/{path.stem}" for path in in_reading_order(folder, children)]
    _write(into / f"{folder.name}.md", folder / "__init__.py", [], contents)


def _is_chapter(path: Path) -> bool:
    is_package = (path / "__init__.py").exists()
    return is_package or (path.suffix == ".py" and path.name != "__init__.py")


def _write(page: Path, file: Path, options: list[str], contents: list[str] | None = None) -> None:
    """Write a page with the docstrings of a file, and a list of the pages below it."""
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    lines = [f"# {title(file)}", "", "```{eval-rst}", f".. automodule:: {module}"]
    lines += [f"   {option}" for option in options] + ["```", ""]
    if contents is None:
        source = file.relative_to(ROOT)
        up = "../" * (len(source.parts) + 1)  # out of the package, pages/ and docs/
        lines += [f"The code: [{source.as_posix()}]({up}{source.as_posix()})", ""]
    else:
        lines += ["```{toctree}", ":maxdepth: 1", "", *contents, "```", ""]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(lines), encoding="utf-8")

"""How Sphinx builds the manual: ``python -m sphinx -W -b html docs docs/_build``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from backproof import __version__  # noqa: E402 - found only on the path above
from docs.chapters import PACKAGES, escaped, relinked, write_chapters  # noqa: E402

project = "Backproof"
version = release = __version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

myst_heading_anchors = 3
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {
    name: name for name in ("Array", "Params", "Shapes", "Size", "Sizes", "Axes")
}
add_module_names = False
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes in a list, and not each as an object of its own
napoleon_custom_sections = [("Shapes", "notes_style"), ("Source", "notes_style")]
python_display_short_literal_types = True
maximum_signature_line_length = 80
highlight_language = "none"  # blocks of a docstring are formulas; others say what they are

toc_object_entries = False  # the tree of all pages is drawn on each of them

html_theme = "furo"
html_title = f"Backproof {release}"
html_static_path = ["_static"]
html_css_files = ["manual.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False


def setup(app: Sphinx) -> None:
    """Write the pages that are made of other files before Sphinx looks for pages."""
    app.connect("config-inited", lambda app, config: write_chapters(Path(app.srcdir)))
    app.connect("source-read", _relink)
    app.connect("autodoc-process-docstring", _escape, priority=400)  # before Napoleon's markup
    app.connect("autodoc-process-signature", _named)
    app.connect("autodoc-skip-member", _is_said_once)


def _relink(app: Sphinx, name: str, source: list[str]) -> None:
    """Let links to README.md and the like, which work where the files are, lead to their pages."""
    page = f"docs/{name}.md"
    source[0] = relinked(source[0], page, page)


def _escape(app: Sphinx, kind: str, name: str, it: object, how: object, lines: list[str]) -> None:
    """Let the signs of mathematics in a docstring stand for themselves: ``|x|``, ``*``."""
    lines[:] = escaped("\n".join(lines)).split("\n")


def _named(
    app: Sphinx, kind: str, name: str, it: object, how: object, takes: str | None, gives: str | None
) -> tuple[str | None, str | None]:
    """Let a signature say ``Array`` inside other types, too."""
    within = re.compile(r"TypeAliasForwardRef\('(\w+)'\)")
    takes, gives = (text and within.sub(r"\1", text) for text in (takes, gives))
    return takes, gives


def _is_said_once(
    app: Sphinx, kind: str, name: str, it: object, skip: bool, how: object
) -> bool | None:
    """Leave out the methods of a layer of which only its base class says what they do."""
    of_chapter = str(getattr(it, "__module__", "")).startswith(PACKAGES)
    return True if of_chapter and not getattr(it, "__doc__", "") else None

"""What all results have in common: words, data, a notebook's view, and an error if they disagree.

::

    report = crosscheck(parameters, grads=gradients, torch_loss=torch_loss)
    print(report)                   # as on a terminal
    assert report.agrees, report
    report.require()                # the same, in one
    report.to_dict()["verdict"]
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

from compare.results.json import as_json

if TYPE_CHECKING:
    from rich.console import Console

    from compare.results.document import Document


class NotAgreed(AssertionError):
    """The two sides do not agree, or nothing shows that they do; its text is the whole result.

    Attributes:
        report: the result.
    """

    def __init__(self, text: str, report: Result | None = None) -> None:
        super().__init__(text)
        self.report = report


class Result(ABC):
    """What a comparison found, or several of one entry, or why there was none."""

    @property
    @abstractmethod
    def exit_code(self) -> int:
        """What the command line exits with; 0 if both sides agree."""

    @abstractmethod
    def document(self) -> Document:
        """Its words and tables, the verdict first."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Everything in it as plain dictionaries, lists, numbers and strings."""

    @property
    def agrees(self) -> bool:
        """Whether something was compared that could have failed, and all of it agrees."""
        return self.exit_code == 0

    def require(self) -> Self:
        """Raise an error with the whole text unless both sides agree.

        Returns:
            The result itself.

        Raises:
            NotAgreed: they disagree, or there was nothing decidable.
        """
        __tracebackhide__ = True
        if not self.agrees:
            raise NotAgreed(str(self), self)
        return self

    def to_json(self) -> str:
        """JSON text; numbers that JSON does not know become the strings "nan", "inf" and "-inf"."""
        return as_json(self.to_dict())

    def show(self, console: Console) -> None:
        """Print it."""
        from compare.results.console import draw

        draw(self.document(), console)

    def __str__(self) -> str:
        """The words of the terminal, at a width that does not depend on any."""
        from compare.results.console import as_text

        return as_text(self.document())

    def __repr__(self) -> str:
        first, *_ = str(self).strip().split("\n", 1)
        return f"<{type(self).__name__}: {first}>"

    def _repr_html_(self) -> str:
        from compare.results.console import as_html

        return as_html(self.document())

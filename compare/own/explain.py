"""What explains a difference, and what else a reader should know."""

from __future__ import annotations

from typing import Any


def causes_of(worst: Any, looks: Any, autograd: Any, allowance: Any) -> list[Any]:
    return []


def remarks_on(looks: Any, subject: Any) -> list[str]:
    return []

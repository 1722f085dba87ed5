"""Results as JSON, with everything in them but nothing that differs from run to run."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from compare.base.printable import encodable
from compare.results.result import Result


def to_json(result: Result | Sequence[Result]) -> str:
    """JSON text of a result, or of several, which become a list."""
    if isinstance(result, Result):
        return result.to_json()
    return as_json([one.to_dict() for one in result])


def as_json(found: dict[str, Any] | list[dict[str, Any]]) -> str:
    """JSON text; numbers that JSON does not know become the strings "nan", "inf" and "-inf"."""
    return json.dumps(_plain(found), indent=2, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return encodable(value) if isinstance(value, str) else value

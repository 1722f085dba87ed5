"""Plain data as JSON text."""

from __future__ import annotations

import json
import math
from typing import Any

from compare.base.printable import encodable


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

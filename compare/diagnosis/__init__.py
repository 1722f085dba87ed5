"""Why two sides disagree: causes that explain the numbers.

In goes a disagreement; out come causes. ``signatures`` reads them from the numbers, ``planting``
tries the catalogue's faults; ``diagnose`` does both for a whole network. It imports ``twins`` and
the stages below.
"""

from typing import Any

#: Where the documentation of version 0.1 named things.
_MOVED = {"read": "compare.diagnosis.signatures.read"}


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f"module 'compare.diagnosis' has no attribute {name!r}")
    import warnings
    from importlib import import_module

    message = f"compare.diagnosis.{name} is now {_MOVED[name]}.{name}"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return getattr(import_module(_MOVED[name]), name)

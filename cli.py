"""The command line: ``python cli.py``, or ``backproof`` once it is installed."""

from backproof.commands import app, main

__all__ = ["app", "main"]

if __name__ == "__main__":
    main()

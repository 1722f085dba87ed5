"""The command line: ``python -m backproof``, and ``backproof`` once installed."""

from backproof.commands import main

if __name__ == "__main__":
    main()

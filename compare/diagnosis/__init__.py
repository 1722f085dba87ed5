"""Why two sides disagree: causes that explain the numbers.

In goes a disagreement; out come causes. ``signatures`` reads them from the numbers, ``planting``
tries the catalogue's faults; ``diagnose`` does both for a whole network. It imports ``twins`` and
the stages below.
"""

"""What can be said of a verdict that stands: which side, why, and what else to know.

In goes a comparison that was made; out come causes and remarks. It imports ``comparison`` and what
that imports, and ``diagnosis``.
"""

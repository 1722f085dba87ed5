"""How far two arrays are apart, in units of what is allowed.

In go the same quantities of both sides and their rounding errors; out come metrics and whether they
pass. It imports ``base``.
"""

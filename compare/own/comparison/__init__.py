"""The user's gradients against the oracle's, at several weights and learning rates.

In go the two sides; out come metrics and verdicts. It imports ``oracle``, ``user`` and
``isolation``.
"""

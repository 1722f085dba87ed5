"""The user's side: parameters, functions and gradients, wherever and however they are kept.

In go the user's objects; out come arrays by name. It imports ``isolation`` and the stages below
``own``.
"""

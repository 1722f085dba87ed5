"""Causes read from the numbers alone, one kind a file.

In go both sides' gradients and the facts of the set-up; out come causes. It imports ``evidence``.
"""

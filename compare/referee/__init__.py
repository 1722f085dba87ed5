"""Derivatives from the values of a function alone, and whether a gradient is one.

In go a function and the gradient that somebody claims; out comes a derivative with its error, or an
opinion. It imports ``base``.
"""

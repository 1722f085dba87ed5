"""Causes found by planting the catalogue's faults, one by one, until one gives the numbers.

In go a disagreement and something that is right; out come faults that reproduce it. It imports
``faults``, ``measure`` and ``sides``.
"""

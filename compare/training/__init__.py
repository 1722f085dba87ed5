"""Whole networks trained on both sides, and compared all the way.

In go a case or a module and a tolerance; out comes a report. It imports every stage below, and not
``own``.
"""

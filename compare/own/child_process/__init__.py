"""A user's file checked in a process of its own, so that nothing it does passes for a verdict.

In go a file and a function's name; out comes the report. It imports the whole of ``own``.
"""

"""A user's own network compared with PyTorch, wherever and however it keeps its parameters.

In go parameters, functions and a loss; out comes a
:class:`~compare.results.own_report.CrossReport`. From bottom to top: ``isolation``, ``user``,
``graph``, ``oracle``, ``comparison``, ``explain``, the function in ``api``, ``child_process``. It
imports ``diagnosis`` and the stages below.
"""

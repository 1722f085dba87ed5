"""Networks to train, as plain data: layers, data sets, update rules and goals.

In goes a name; out come a :class:`~compare.cases.case.Case` and its data. It imports ``base``.
"""

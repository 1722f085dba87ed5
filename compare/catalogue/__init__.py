"""Each layer, activation, loss, update rule and schedule by itself, compared with PyTorch's.

In goes the name of one; out come the checks of all its variants. It imports ``measure``,
``referee``, ``results`` and what these import.
"""

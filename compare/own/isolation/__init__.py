"""Everything that a user's code can change, kept and put back.

In goes a call of the user's; out comes its value, with the process and the objects as they were. It
imports ``base`` and ``process``.
"""

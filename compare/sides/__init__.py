"""The two implementations behind one interface, and one training step of both.

In go a case, weights and a batch; out come all quantities of the step, of either side. It imports
``base``, ``measure`` and ``cases``.
"""

"""The numbers that causes are read from, and how well an explanation fits them.

In go both sides' gradients; out comes how near one is to a guess made of the other. It imports
``base`` and ``results``.
"""

"""A network as one object: its layers watched, its buffers beside it, compiled or copied.

In goes a network of the reference or of PyTorch; out comes the same, seen from outside. It imports
``base``.
"""

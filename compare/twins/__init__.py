"""The NumPy twin of a PyTorch module, loss or optimizer.

In goes an object of PyTorch; out comes the reference's with the same options. It imports ``base``
and ``sides``.
"""

"""What the catalogue compares, as plain data.

Nothing here computes anything, so that the catalogue can be listed without loading NumPy or
PyTorch.
"""

"""What every stage rests on: errors, arrays, names of quantities, files, text that can be printed.

Nothing of the comparison goes in or comes out here. It imports the standard library, NumPy and, in
``arrays`` alone, both NumPy and PyTorch.
"""

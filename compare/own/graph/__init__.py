"""PyTorch's graph of a loss: its operations, what they hand back, and the way back changed.

In goes a loss; out come its operations and gradients. It imports PyTorch alone.
"""

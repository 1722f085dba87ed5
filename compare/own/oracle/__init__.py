"""What a user's gradients are compared with: autograd's, and how far rounding moves them.

In goes torch_loss or the user's loss at some weights; out come gradients and their tolerance. It
imports ``user``, ``graph`` and the stages below ``own``.
"""

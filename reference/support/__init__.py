"""What serves several chapters: no chapter of its own.

Functions that do not overflow, windows over images, the axes of sequences and ensembles, first
weights, and what is said of options and inputs that a layer cannot take.
"""

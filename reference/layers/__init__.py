"""Layers, a chapter a file: the formula, its derivation, the code."""

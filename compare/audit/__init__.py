"""Planting every fault of the catalogue, to show that each is caught, located and named.

In go the faults; out comes what became of each in every place. It imports every stage below.
"""

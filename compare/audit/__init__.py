"""Planting every fault of the catalogue, to show that each is caught, located and named."""

"""Measurements: speed and memory as ratios, and the calibration of the tolerances."""

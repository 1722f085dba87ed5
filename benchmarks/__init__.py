"""Measurements, run as ``python -m benchmarks.<name>``: speed and memory as ratios, calibration."""

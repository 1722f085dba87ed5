"""The tests, laid out as the packages are; ``meta`` tests that the checks themselves can fail."""

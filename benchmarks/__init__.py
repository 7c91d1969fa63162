"""Measurements: each module and package here is run as `python -m benchmarks.NAME`."""

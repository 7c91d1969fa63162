"""What `benchmarks/frontal.py` is made of."""

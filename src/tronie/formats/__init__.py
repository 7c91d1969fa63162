"""Readers of other people's model files, which trust nothing and run nothing."""

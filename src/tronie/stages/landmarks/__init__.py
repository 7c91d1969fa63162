"""Landmarks: aligned crops, the net that marks 478 points, and the recogniser that tells persons apart."""

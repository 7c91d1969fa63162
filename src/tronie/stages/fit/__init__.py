"""Landmarks to a head: pose, identity, expression and the camera."""

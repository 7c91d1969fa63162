"""Clips: faces followed through a video, one head for each person, its motion, and a tracker for live pictures."""

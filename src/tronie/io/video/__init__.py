"""Clips: readers of files, picture sequences and cameras, and the writer of films."""

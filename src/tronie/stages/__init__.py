"""The steps from a photo to a head: each a function of values."""

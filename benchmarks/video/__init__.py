"""Clips with truth, and what tronie makes of them."""

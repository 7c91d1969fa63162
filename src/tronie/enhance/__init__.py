"""Super-resolution of small faces."""

"""Makes head.npz: body, parts, texture layout, statistics of shape."""

"""The rasteriser that the stages use: triangles to pixels, and pixels to pictures."""

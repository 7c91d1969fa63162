"""Every face of a photo as a textured 3D head and a frontal portrait."""

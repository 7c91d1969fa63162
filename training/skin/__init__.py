"""Makes skin.npz: the statistical model of skin."""

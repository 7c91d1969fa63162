"""The net that tells hair, skin, clothes and what covers them apart: its labels, its pictures, its training."""

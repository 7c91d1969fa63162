"""How the files in src/tronie/assets were made: scripts outside the package (README.md)."""

"""Folders full of photos and hostile files, killed runs, full disks: what `tronie run` makes of them."""

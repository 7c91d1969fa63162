"""Many photos on one machine: find them, hand them to processes, keep the manifest true."""

"""From photos and videos to results: the stages one after the other."""

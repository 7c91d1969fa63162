"""Pictures of heads for people to look at."""

"""Other people's models: which there are, and how a user's copy is read."""

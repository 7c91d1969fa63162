"""How well small faces are restored: truth, ways to spoil it, methods, and figures."""

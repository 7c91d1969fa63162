"""Work done for an interface in a process of its own; no window toolkit in here."""

"""A node: its home, its configuration, and the only wiring."""

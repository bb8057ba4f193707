"""The benchmark: what is kept of a run for it, how that is made, and the tables of it."""

"""Whether a difference is more than chance, and how sure a score is: pure functions on arrays."""

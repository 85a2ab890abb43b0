"""The model on disk, and how it scores new data."""

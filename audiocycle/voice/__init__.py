"""Recordings of speech: features, and sound again."""

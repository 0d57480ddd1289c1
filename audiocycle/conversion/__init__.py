"""A trained bundle at work."""

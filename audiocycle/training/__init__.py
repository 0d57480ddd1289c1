"""Makes a bundle."""

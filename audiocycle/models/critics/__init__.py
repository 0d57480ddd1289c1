"""Critics, a file each."""

"""Generators, a file each."""

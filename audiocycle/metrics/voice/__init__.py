"""Measures of speech."""

"""Measures of speech and of scores: pure functions on arrays, each with definition, unit, source."""

"""Objective measures of voice conversion: pure functions on arrays, each with definition, unit, source."""

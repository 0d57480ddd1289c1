"""Scores: MIDI files, piano rolls, and notes again."""

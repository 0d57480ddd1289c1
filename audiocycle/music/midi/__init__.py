"""MIDI files as events."""

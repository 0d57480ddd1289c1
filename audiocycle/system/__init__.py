"""What any program needs, and nothing of sound."""

"""What a model of genres is worth."""

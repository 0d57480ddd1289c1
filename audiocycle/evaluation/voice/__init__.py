"""What a model of voices is worth."""

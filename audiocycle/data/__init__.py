"""What trainings see: features kept, joined, cut and drawn."""

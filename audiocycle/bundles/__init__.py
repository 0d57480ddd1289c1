"""What is shared: a model as numbers and settings, where models lie, and what computes them."""

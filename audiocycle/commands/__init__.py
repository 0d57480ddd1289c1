"""The commands of the command line, one module each. Heavy imports happen inside the functions."""

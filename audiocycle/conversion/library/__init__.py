"""Many files: what is to be done, what is done, and where the work happens."""

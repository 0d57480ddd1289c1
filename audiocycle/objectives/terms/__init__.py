"""Terms, one a file: a further file is a further weight, `objective.NAME`."""

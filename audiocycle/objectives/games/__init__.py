"""Games, one a file: a further file is a further choice for `objective.game`."""

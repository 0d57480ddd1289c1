"""Which networks serve which directions, a choice a file: a further file is a further choice for `model.translator`."""

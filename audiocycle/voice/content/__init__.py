"""What is said, apart from who says it: an encoder that comes with the package, and features that are made with it."""

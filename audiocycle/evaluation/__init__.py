"""What a model is worth, on files that it was not trained on: measures beside controls, tables, a page to look at and listen to."""

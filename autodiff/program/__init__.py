"""Programs: a function recorded once and replayed as the matrix program that a person would have written."""

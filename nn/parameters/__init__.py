"""Parameters: how a net keeps them, their names in the notes, their initial values, saved and loaded numbers."""

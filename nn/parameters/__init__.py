"""Parameters: how a net keeps them, their names in the notes, their initial values, and how to save and load them."""

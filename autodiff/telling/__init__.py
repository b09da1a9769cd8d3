"""A flow in words: the names of its parts, the steps of the notes, remarks, and the full story of one gradient."""

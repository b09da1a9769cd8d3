"""A flow in words: what its parts are called, the steps of the notes, remarks, and the whole story of one gradient."""

"""Windows of words for the window scorer: tagged text read, cut, given ids, corrupted, and its finding measured."""

"""What an operation is, and the table of all of them; no graph."""

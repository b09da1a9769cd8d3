"""The layout of pictures: positions and sizes; no calculus, no colours."""

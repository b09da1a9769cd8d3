"""What an operation is and how one is defined; the operations themselves are in `table`. No graph."""

"""The definition of an operation as a primitive; the operations themselves are in `table`. No graph here."""

"""Graphs with Tensors as forms: what the re-rolling of scalars has no part in."""

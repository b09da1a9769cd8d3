"""Derivatives of functions, from the graph and by finite differences; no graph is built by hand here."""

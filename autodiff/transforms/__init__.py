"""Derivatives of functions, by the graph and by differences; no graph is built here by hand."""

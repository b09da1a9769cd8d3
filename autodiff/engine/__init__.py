"""The recorded graph, the chain rule on it, and the code generated from the table of primitives."""

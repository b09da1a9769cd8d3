"""The recorded graph and the chain rule on it, with the code written from the table."""

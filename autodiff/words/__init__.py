"""Names of quantities and operations, how texts are set, and every sentence in two languages; no mathematics."""

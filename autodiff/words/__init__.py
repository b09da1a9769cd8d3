"""Names of quantities and operations, typesetting, and every sentence in two languages; no mathematics."""

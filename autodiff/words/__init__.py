"""Names of quantities and every sentence that a reader sees; no mathematics."""

"""Local gradients as formulas in symbols and numbers, read from the rules of the table: 1 − a², 3·x² = 3 × 2²."""

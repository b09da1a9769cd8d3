"""Programs as the NumPy and the formulas that a person could have written."""

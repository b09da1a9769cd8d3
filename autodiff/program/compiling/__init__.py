"""The compiler: a recorded graph becomes the intermediate form, its error signals, and the NumPy source of both."""

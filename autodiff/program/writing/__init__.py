"""The NumPy source of a form and of its error signals: from statements to kernels over a workspace, and to text."""

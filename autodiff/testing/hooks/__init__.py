"""What pytest, hypothesis and the shell load."""

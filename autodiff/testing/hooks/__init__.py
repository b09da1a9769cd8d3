"""The parts that pytest, hypothesis and the shell load."""

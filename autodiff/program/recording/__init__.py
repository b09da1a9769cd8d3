"""The recording of a function for replay: its inputs, the graph that it left, what chose and what was looked at."""

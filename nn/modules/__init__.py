"""What every net stands on: blocks of parameters with names, activations by name, and the net as a file."""

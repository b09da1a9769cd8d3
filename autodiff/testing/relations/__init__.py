"""Relations between gradients that hold whatever the program."""

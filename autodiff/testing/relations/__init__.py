"""Relations between gradients that hold for every program."""

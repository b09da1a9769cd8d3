"""Training as a stream of steps, and its consumers: progress, history, early stopping, statistics, checkpoints."""

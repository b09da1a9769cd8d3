"""The data that a net learns from: preprocessing, fitted on training data, and mini-batches."""

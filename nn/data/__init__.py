"""What a net is fed with: preprocessing that is fitted on training data, and mini-batches."""

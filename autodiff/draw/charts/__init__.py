"""Charts of numbers, such as an objective over the steps of a training, as SVG in the colours of all pictures."""

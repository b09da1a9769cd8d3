"""Names of the values that a loop computes, read from the source of the code that draws or explains them."""

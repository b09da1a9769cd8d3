"""Independent derivatives: the program in other numbers, and differences with their error."""

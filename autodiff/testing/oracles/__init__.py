"""Independent derivatives: the program in other arithmetic, and differences with their error."""

"""Where everything in a picture stands; no calculus, no colours."""

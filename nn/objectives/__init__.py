"""What training minimises: margins, entropies, squared errors, and the penalties of large weights."""

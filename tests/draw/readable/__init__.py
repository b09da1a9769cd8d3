"""Pictures of people's own programs must be readable on a slide."""

"""The reference of operations and public names, read from their definitions; as text, Markdown and one page."""

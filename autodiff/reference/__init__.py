"""The reference: operations and public names, read where they are defined; as text, as Markdown and as one page."""

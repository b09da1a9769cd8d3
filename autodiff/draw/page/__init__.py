"""The page to step through a flow: one file of HTML, with its style and script."""

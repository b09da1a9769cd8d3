"""A picture as SVG or DOT text."""

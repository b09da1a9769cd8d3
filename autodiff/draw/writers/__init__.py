"""Writers of pictures as SVG or DOT text."""

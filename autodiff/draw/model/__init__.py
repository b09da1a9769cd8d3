"""A picture as data, and what its texts and colours are; no coordinates, no file formats."""

"""Pictures as data, with their texts and colours; no coordinates, no file formats."""

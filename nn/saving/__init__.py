"""Files that lose nothing: arrays with a checksum, written in one piece or not at all."""

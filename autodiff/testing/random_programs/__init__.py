"""Random programs: what they are made of, how they print, fail and shrink."""

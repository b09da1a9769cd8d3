"""Files of runs and nets."""

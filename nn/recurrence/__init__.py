"""Nets over time: recurrent cells, the recurrent language model, attention, n-grams, and shares in time."""

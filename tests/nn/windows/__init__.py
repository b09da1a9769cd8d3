"""Tests of windows of words: readers, windows, pairs, measures and the tagger."""

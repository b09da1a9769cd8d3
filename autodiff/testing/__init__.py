"""Tests of any gradient by property; import what you need from the modules, each of which loads only what it needs."""

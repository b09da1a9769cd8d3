"""Nodes that are drawn together: units, layers and scopes, the steps of a loop, the terms of a sum."""

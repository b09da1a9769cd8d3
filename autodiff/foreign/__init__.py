"""Programs of other engines, traced into a graph of this one."""

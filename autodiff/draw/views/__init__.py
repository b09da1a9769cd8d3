"""From a flow or a graph to a picture as data: which boxes, wires and marks there are."""

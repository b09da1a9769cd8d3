"""Views, which turn a flow or a graph into a picture as data: its boxes, wires and marks."""

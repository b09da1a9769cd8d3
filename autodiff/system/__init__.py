"""What Python and the operating system are asked for: paths, encodings, files, extras; nothing about gradients."""

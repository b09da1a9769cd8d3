"""The interface to Python and the operating system: paths, encodings, files, extras; nothing about gradients."""

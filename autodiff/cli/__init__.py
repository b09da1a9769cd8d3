"""The command-line program. The only room of `autodiff` that imports `nn`."""

"""The program: what a shell calls. The only room of `autodiff` that imports `nn`."""

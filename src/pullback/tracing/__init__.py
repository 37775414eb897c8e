"""Programs read from what people have: NumPy functions, PyTorch modules, JAX functions, SymPy expressions."""

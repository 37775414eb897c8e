"""What runs a plan: NumPy, PyTorch, JAX. Each module imports its library where it is used."""

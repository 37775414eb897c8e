"""The functions of NumPy and of the array API that traced arrays answer to."""

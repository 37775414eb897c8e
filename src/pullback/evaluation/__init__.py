"""Numbers in, numbers out: any tensor graph computed with NumPy."""

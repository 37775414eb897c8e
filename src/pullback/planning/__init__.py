"""From tensor graphs to a straight list of kernels: what runs, and what is emitted."""

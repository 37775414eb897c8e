"""Is it right? Derived gradients beside numbers that were found without deriving anything."""

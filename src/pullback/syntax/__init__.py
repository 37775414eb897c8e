"""The notation: text to syntax tree and back, before and after any mathematics."""

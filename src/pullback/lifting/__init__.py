"""From the tensor graph back to what people write: matrix notation, or entries where it can't say it."""

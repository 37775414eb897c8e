"""Practice: exercises in deriving, with hints, and an explanation where an answer is wrong."""

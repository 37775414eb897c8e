"""What is wrong with a hand-written backward pass: which mistake, where, and what would mend it."""

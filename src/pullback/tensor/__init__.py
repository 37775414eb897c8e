"""The tensor graph: the one representation that is differentiated, simplified and run."""

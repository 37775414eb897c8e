"""Standalone source from plans: nothing that is emitted imports pullback."""

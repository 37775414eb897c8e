"""Plans as source that a person would write: terms, idioms, and how each library spells them."""

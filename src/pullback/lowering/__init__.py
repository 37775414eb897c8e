"""From the syntax tree to the tensor graph: shapes by unification, meanings by the table of operations."""

"""Everything that talks to AWS. Nothing here decides: it reads values and does single things."""

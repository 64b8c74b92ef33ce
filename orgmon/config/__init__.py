"""accounts.yaml: what can be said, how it is read with positions, what is wrong with it."""

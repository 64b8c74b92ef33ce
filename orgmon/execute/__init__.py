"""The doing: take the steps of a plan, wait for operations, tell how each pair went."""

"""The plan: what differs between the State that should be and the State that is, and the calls to close it."""

"""What stands above the policies of single accounts: the organization's own, and what services tell of a call."""

"""What decides over requests beside a principal's own policies."""

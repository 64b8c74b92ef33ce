"""What a person or a program sees: tables, progress, JSON. Nothing here computes."""

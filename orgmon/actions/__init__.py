"""What commands do: one file a verb, from a project or workspace and an order to a report. Nothing is printed here."""

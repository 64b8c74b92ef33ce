"""One file a command: parse, call, show. A command decides nothing and knows no other command."""

"""orgmon schema: the JSON schema of accounts.yaml, for editors."""

from __future__ import annotations

NAME = "schema"


def command() -> None:
    """Print the JSON schema of accounts.yaml, for editors."""
    import json

    from orgmon.config.schema import schema

    print(json.dumps(schema(), indent=2))

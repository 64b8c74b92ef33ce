"""The JSON schema of accounts.yaml, for editors."""

from __future__ import annotations

from typing import Any

from orgmon.config.model import Config


def schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12), made from the model, so that it always says the same."""
    made = Config.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "accounts.yaml",
        "description": "The organization that orgmon monitors, and how",
    }

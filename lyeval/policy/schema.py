"""The JSON Schema of a policy file, so that editors complete it and underline faults."""

from __future__ import annotations

import json

from lyeval import resources
from lyeval.policy.model import Policy

NAME = "parameters/schema/policy.schema.json"


def schema_text() -> str:
    """Return the schema of ``parameters/policies/<id>.yaml`` as JSON text, made from the one model."""
    schema = Policy.model_json_schema(by_alias=True)
    return (
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, ensure_ascii=False, indent=1)
        + "\n"
    )


def write_schema() -> None:
    """Write the schema where the policy files name it."""
    path = resources.path(NAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(schema_text(), encoding="utf-8", newline="\n")

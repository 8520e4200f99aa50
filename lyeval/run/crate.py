"""``ro-crate-metadata.json``: a run told as a Process Run Crate, the same bytes for the same run (研究对象包).

Source: RO-Crate 1.1; Process Run Crate 0.5 of the Workflow Run RO-Crate profiles.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from lyeval.run.folders import RECORD

CRATE = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
VERSION = "1.1"


def write_crate(folder: Path, run: str, made_from: Mapping[str, Any], outputs: Mapping[str, str]) -> Path:
    """Write the crate's metadata into a run's folder.

    Parameters
    ----------
    made_from
        What the run was made from, as `lyeval.run.record.basis` gives it.
    outputs
        SHA-256 by place below the folder.

    Returns
    -------
    Path
        The file written; no clock, host, user or folder is in it.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=VERSION)
    crate.name = f"lyeval {run}"
    crate.description = f"{made_from['parameters'].get('kind', 'review')}; basis {made_from['basis']}"
    crate.datePublished = published(made_from).isoformat()
    crate.root_dataset["conformsTo"] = _entity(crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    tool = _entity(crate, "#lyeval", "SoftwareApplication", name="lyeval", version=made_from["versions"]["lyeval"],
                   sha256=made_from["code"], softwareRequirements=_libraries(made_from))  # fmt: skip
    made = [_file(crate, folder, name, told) for name, told in sorted(outputs.items())]
    used = [*_inputs(crate, made_from), *_parameters(crate, made_from)]
    crate.add_file(folder / RECORD, RECORD, properties={"name": RECORD, "encodingFormat": "application/json"})
    action = {"@type": "CreateAction", "name": f"lyeval run {run}"}
    crate.root_dataset["mentions"] = crate.add_action(tool, "#run", object=used, result=made, properties=action)
    path = folder / CRATE
    path.write_text(_text(crate.metadata.generate()), encoding="utf-8", newline="\n")
    return path


def published(made_from: Mapping[str, Any]) -> date:
    """Return the day that a run stands for: its report's, else SOURCE_DATE_EPOCH's, else the end of the year evaluated."""
    parameters = made_from["parameters"]
    if parameters.get("report_date"):
        return date.fromisoformat(str(parameters["report_date"]))
    epoch = source_date()
    return epoch if epoch is not None else date(int(parameters["year"]), 12, 31)


def source_date() -> date | None:
    """Return the day that SOURCE_DATE_EPOCH names (UTC), None where it is not set or no number."""
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(told), UTC).date() if told.isdigit() and int(told) < LAST_SECOND else None


def _text(metadata: dict[str, Any]) -> str:
    """Write metadata with its entities in a fixed order."""
    graph = sorted(metadata["@graph"], key=lambda entity: str(entity["@id"]))
    return json.dumps({**metadata, "@graph": graph}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _entity(crate: Any, at: str, kind: str, **properties: Any) -> Any:
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, at, properties={"@type": kind, **properties}))


def _file(crate: Any, folder: Path, name: str, sha256: str) -> Any:
    told = {"name": name, "sha256": sha256, "encodingFormat": MEDIA.get(Path(name).suffix, "application/octet-stream")}
    return crate.add_file(folder / name, name, properties=told)


def _inputs(crate: Any, made_from: Mapping[str, Any]) -> list[Any]:
    """Add what was read: named by hash, since it stands outside the crate."""
    used = [*made_from["inputs"]]
    used += [{"use": "notebook", "name": k, "sha256": v} for k, v in made_from["notebooks"].items()]
    out = {}
    for item in used:
        id = f"urn:sha256:{item['sha256']}"
        told = {"name": item["name"], "sha256": item["sha256"], "additionalType": item["use"]}
        out[id] = _entity(crate, id, "CreativeWork", **told)
    return list(out.values())


def _parameters(crate: Any, made_from: Mapping[str, Any]) -> list[Any]:
    """Add the run's parameters, patches among them."""
    said = {k: v for k, v in sorted(made_from["parameters"].items()) if v not in (None, {}, [])}
    return [
        _entity(crate, f"#parameter-{key}", "PropertyValue", name=key, value=_plain(value))
        for key, value in said.items()
    ]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _libraries(made_from: Mapping[str, Any]) -> list[str]:
    return [f"{name} {version}" for name, version in made_from["versions"].items() if name != "lyeval"]


LAST_SECOND = 253_402_300_800  # the year 10000
MEDIA = {
    ".html": "text/html", ".pdf": "application/pdf", ".csv": "text/csv", ".json": "application/json", ".svg": "image/svg+xml",
    ".png": "image/png", ".ipynb": "application/x-ipynb+json", ".txt": "text/plain",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip

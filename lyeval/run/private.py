"""What of a public edition stays in the office: ``<run-id>.private.json`` beside its folder (公示版的内部留存).

It holds a salted commitment to each input, by which ``verify`` and ``rerun`` know them again, and whom each published sum counted with what,
so that a later edition is held against all earlier ones. The published folder names no input and holds no hash of one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyeval.run.errors import RunError
from lyeval.run.folders import RECORD, held, read_object, stands
from lyeval.run.outputs import PATIENCE, PRIVATE, placed

if TYPE_CHECKING:
    from lyeval.tables.releasing import Release


def private_of(folder: Path) -> Path:
    """Return where the office's part of a public edition stands: beside its folder."""
    return folder.with_name(f"{folder.name}{PRIVATE}")


def read_private(folder: Path) -> dict[str, Any] | None:
    """Return the office's part of a public edition; None where there is none of ours that can be read."""
    return _read(private_of(folder))


def committed(kept: Mapping[str, Any], sha256: str) -> str:
    """Return the salted commitment to a file's SHA-256."""
    return hmac.new(bytes.fromhex(kept["salt"]), sha256.encode("ascii"), hashlib.sha256).hexdigest()


def made_from_these(folder: Path, inputs: Iterable[Mapping[str, Any]], fingerprint: str) -> bool:
    """Tell whether a public edition was made from just these inputs, by the office's part of it."""
    kept = read_private(folder)
    if kept is None or kept["fingerprint"] != fingerprint:
        return False
    return kept["inputs"] == [{**item, "sha256": committed(kept, item["sha256"])} for item in inputs]


def admit(
    folder: Path,
    made_from: Mapping[str, Any],
    changes: Sequence[str],
    tables: Mapping[str, Any],
    releases: Sequence[Release],
    fingerprint: str,
) -> Path:
    """Hold an edition against those published before in the same place, and keep what the office needs of it.

    Parameters
    ----------
    folder
        Where the edition is going to stand.
    made_from
        All that it was made from, as `lyeval.run.records.basis` gives it.
    changes
        The changes to its run file.
    tables, releases
        What is published, and whom its sums count.

    Raises
    ------
    RunError
        Together with an earlier edition it would reveal an enterprise's figure, or a file of someone else's stands in the way.
    """
    path = private_of(folder)
    with held(folder.parent / PUBLISHING, patience=PATIENCE):
        hold_against_earlier(folder, tables, releases)
        kept = _read(path) or {"salt": secrets.token_hex(32), "editions": []}
        mine = {"year": int(tables["meta"]["year"]), "sums": {r.name: r.amounts for r in releases}}
        told = {
            "lyeval": MARK,
            "notice": NOTICE,
            "salt": kept["salt"],
            "fingerprint": fingerprint,
            "editions": [*(e for e in kept["editions"] if e != mine), mine],
            "parameters": made_from["parameters"],
            "inputs": [{**item, "sha256": committed(kept, item["sha256"])} for item in made_from["inputs"]],
            "set": list(changes),
        }
        _write(path, told)
    return path


def hold_against_earlier(folder: Path, tables: Mapping[str, Any], releases: Sequence[Release]) -> None:
    """Refuse an edition that is not to be published beside those that are.

    Raises
    ------
    RunError
        As `admit`.
    """
    path = private_of(folder)
    if stands(path) and _read(path) is None:
        raise RunError.of("private.foreign", name=path.name)
    _refuse_to_reveal(_editions(folder.parent, int(tables["meta"]["year"])), releases)
    _refuse_unaccounted(folder.parent, tables)


def _editions(root: Path, year: int) -> list[tuple[str, list[Release]]]:
    """Return every edition that was published in a folder, with the name of its run; of other years the land alone."""
    from lyeval.report import land_only
    from lyeval.tables.releasing import Release

    found = []
    for path in sorted(root.glob(f"*{PRIVATE}")):
        name = path.name.removesuffix(PRIVATE)
        for edition in (_read(path) or {"editions": []})["editions"]:
            sums = [Release(of, amounts) for of, amounts in edition["sums"].items()]
            found.append((name, sums if edition["year"] == year else land_only(name, sums)))
    return found


def _refuse_to_reveal(earlier: Sequence[tuple[str, list[Release]]], mine: Sequence[Release]) -> None:
    from lyeval.tables.releasing import reveals

    codes = _codes(mine)
    near = [(name, sums) for name, sums in earlier if _codes(sums) & codes]
    if not near or not reveals([*mine, *(release for _, sums in near for release in sums)]):
        return
    single = [name for name, sums in near if reveals([*mine, *sums])]
    raise _refused(single or [name for name, _ in near])


def _codes(releases: Iterable[Release]) -> set[str]:
    return {code for release in releases for amounts in release.amounts.values() for code in amounts}


def _refuse_unaccounted(root: Path, tables: Mapping[str, Any]) -> None:
    """Refuse where an edition of the same place and year, of which the office kept nothing, shows other figures."""
    from lyeval.report import load

    for record in sorted(root.glob(f"*/{RECORD}")):
        folder = record.parent
        if _read(private_of(folder)) is not None:
            continue
        try:
            before = load(folder / "tables")
        except (OSError, ValueError, KeyError):
            continue
        public = before.get("meta", {}).get("disclosure") == "public"
        if public and _same_place(before["meta"], tables["meta"]) and _figures(before) != _figures(tables):
            raise _refused([folder.name])


def _same_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    counties = [set(meta.get("counties") or ()) for meta in (one, other)]
    near = bool(counties[0] & counties[1]) if all(counties) else one.get("place") == other.get("place")
    return near and int(one["year"]) == int(other["year"])


def _figures(tables: Mapping[str, Any]) -> list[str]:
    """Return what a public edition shows of sums, written one way."""
    places = tables["townships"][["township", "n", "land_mu", "tax_wan"]].astype(object)
    values = tables["targets"][["id", "value"]].astype(object)
    return [str(row) for frame in (places, values) for row in frame.where(frame.notna(), None).to_numpy().tolist()]


def _refused(names: Iterable[str]) -> RunError:
    names = list(dict.fromkeys(names))
    files = "、".join(f"{name}{PRIVATE}" for name in names)
    return RunError.of("private.reveals", names=("、".join(names), ", ".join(names)), files=files)


def _read(path: Path) -> dict[str, Any] | None:
    found = read_object(path)
    return found if found is not None and found.get("lyeval") == MARK and set(found) >= KEYS else None


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the office's part whole or not at all, readable by its owner alone where the system knows owners."""
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    with placed(path) as fresh:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)


PUBLISHING = "public editions"  # no run's id: what is held while an edition is held against the others
MARK = "private"
KEYS = {"salt", "fingerprint", "editions", "parameters", "inputs", "set"}
NOTICE = "内部留存：含企业数据，供核验和与以后的公示版对比，不得公开 / for the office alone: holds firms' figures, never to be published"

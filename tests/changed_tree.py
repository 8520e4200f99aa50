"""What the changed copy of `test_map` is asked, in a process of its own: prints JSON, one entry a change."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from build import ledger, years

import lyeval
from lyeval.assessment import assess
from lyeval.assessment.needs import needs, office_of
from lyeval.ledger import read_ledger
from lyeval.policy import Condition, load_policy, patch
from lyeval.policy.assumptions import load_assumptions
from lyeval.policy.difference import describe
from lyeval.policy.model import SCHEMA, write_schema
from lyeval.report import assessment_tables, build_report, write
from lyeval.resources import path
from lyeval.run import load_run

CODE = "91330902MA28K00012"
PLAN = load_policy("linshu-2021")
FACT = {"fact": "doubled", "op": "ge", "value": 12.0}


def office(folder: Path) -> Any:
    """Read a small ledger as an office writes it."""
    folder.mkdir()
    sheets = {
        "企业": f"统一社会信用代码,企业名称,镇街\n{CODE},甲公司,甲镇\n",
        "年度": f"统一社会信用代码,年份,规上,实缴税金（万元）,土地总面积（亩）,废钢产生量（吨）\n{CODE},2023,否,5,10,7.5\n",
        "处置": f"统一社会信用代码,处置方式,处置结果,完成时间\n{CODE},委托经营,完成,2023-06-30\n",
    }
    for name, text in sheets.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8-sig")
    return read_ledger(folder)


def listed(kind: str, word: str) -> bool:
    """Tell whether the schema for editors lists a word."""
    words = json.loads(path(SCHEMA).read_text(encoding="utf-8"))["$defs"][kind]["oneOf"]
    return word in [w.get("const") for w in words]


def told(work: Path) -> dict[str, Any]:
    """Work with each change."""
    write_schema()
    read = office(work / "台账")
    first = PLAN.identification.criteria[0].id
    changed = patch(
        PLAN, {f"identification.criteria.{first}.when": FACT, f"methods.{PLAN.methods[0].id}.method": "custody"}
    )
    made = ledger(
        annual=[r for c, tax in (("A", 6.0), ("B", 5.0)) for r in years(c, {2022: tax, 2023: tax}, 10.0, above=False)]
    )
    got = assess(made, changed, 2023)
    wanted = needs(changed)
    tables = assessment_tables(got)
    pages = {lang: build_report(tables, lang=lang).blocks for lang in ("zh", "en")}
    headings = {lang: [b.text for b in blocks if hasattr(b, "level")] for lang, blocks in pages.items()}
    files = write(tables, work / "report", formats=["lines"])
    run = work / "run.yaml"
    run.write_text("policy: linshu-2021\nledger: sample:linshu\nyear: 2023\nformats: [lines]\n", encoding="utf-8")
    assumed = load_assumptions().method("custody")
    return {
        "lyeval": lyeval.__file__,
        "column": {
            "value": read.annual["scrap_t"].iloc[0],
            "owed_by": office_of("annual.scrap_t")[0],
        },
        "fact": {
            "holds": [bool(x) for x in got.enterprises[f"criterion_{first}"]],
            "words": describe(Condition.model_validate(FACT)),
            "needs": list(wanted.loc[(wanted["kind"] == "criterion") & (wanted["id"] == first), "column"]),
            "listed": listed("FactName", "doubled"),
        },
        "method": {
            "read": list(read.disposals["method"]),
            "outcome": list(read.disposals["outcome"]),
            "lawful": bool(got.dossier("A").methods["lawful"].iloc[0]),
            "success": assumed.success.mean,
            "listed": listed("MethodName", "custody"),
        },
        "section": {**headings, "text": any("另有" in getattr(b, "text", "") for b in pages["zh"])},
        "format": {
            "files": [p.name for p in files if p.parent.name == "report"],
            "first": files[0].read_text(encoding="utf-8").splitlines()[0],
            "accepted": list(load_run(run).spec.formats),
        },
    }


if __name__ == "__main__":
    print(json.dumps(told(Path(sys.argv[1])), ensure_ascii=False))

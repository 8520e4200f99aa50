"""The cases in progress as a plan to edit (在办处置), and an enterprise by its code or its name."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np
import pandas as pd

from lyeval.indicators import Book, cases, year_end
from lyeval.ledger import Ledger
from lyeval.ledger.vocabulary import tidy
from lyeval.told import Told


class NoSuchFirm(Told, KeyError):
    """An enterprise that the ledger does not have."""

    __str__ = Exception.__str__


def open_cases(book: Book, year: int) -> pd.DataFrame:
    """Return the disposals in progress at the end of a year, the first of each enterprise, as `simulate` takes them.

    Returns
    -------
    DataFrame
        credit_code, name, method, started, due, successor (credit code), cost_wan (万元), and where the ledger plans them released_mu
        (亩) and demolished_m2 (m²); sorted by credit code. Cases without a method are left out.
    """
    rows, frame, day = cases(book), book.ledger.disposals, year_end(year)
    order = rows.firsts(rows.in_progress(day) & (rows.method != ""))
    known = ~rows.ended_later(day)[order]
    names = book.text("name")
    out = pd.DataFrame({"credit_code": book.codes[rows.at[order]], "name": names[rows.at[order]]})
    out["method"], out["started"], out["due"] = rows.method[order], rows.started[order], rows.due[order]
    told = frame.iloc[order].reset_index(drop=True)
    blank = pd.Series(np.nan, index=out.index)
    for name, column in PLANNED.items():
        if column in told or name in REQUIRED:
            out[name] = told.get(column, blank).where(known)
    return out


def find_firm(ledger: Ledger, told: str, *, by_name: bool = False) -> str:
    """Return the credit code of an enterprise.

    Parameters
    ----------
    told
        Its credit code; ``by_name``: or its name, where one enterprise alone has it.

    Raises
    ------
    NoSuchFirm
        None of the ledger's: a name is told its code, else the nearest are named.
    """
    firms = ledger.enterprises
    codes, names = firms["credit_code"].astype(str), firms.get("name", firms["credit_code"]).fillna("").astype(str)
    wanted = str(told).strip()
    hit = codes[codes.map(tidy) == tidy(wanted)].tolist()
    if hit:
        return hit[0]
    named = codes[names == wanted].tolist() or (
        codes[names.str.contains(wanted, regex=False)].tolist() if wanted else []
    )
    if by_name and len(named) == 1:
        return named[0]
    if named:
        some = "、".join(named[:5])
        zh, en = f"“{wanted}”是企业名称", f"'{wanted}' is a name"
        raise NoSuchFirm(f"{zh}，请写统一社会信用代码：{some}", f"{en}; give the credit code: {some}")
    near = "、".join(get_close_matches(wanted, [*names, *codes], n=3, cutoff=0.5))
    zh, en = f"台账中没有 {wanted}", f"no such firm in the ledger: {wanted}"
    raise NoSuchFirm(zh + (f"，相近的有 {near}" if near else ""), en + (f"; the nearest: {near}" if near else ""))


REQUIRED = ("successor", "cost_wan")
PLANNED = {"successor": "successor_code"} | {name: name for name in ("cost_wan", "released_mu", "demolished_m2")}

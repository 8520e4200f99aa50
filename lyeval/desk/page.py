"""The desk as a page (方案台的页面): what is asked comes as messages, what is told goes as states; the page itself is ``desk.js``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from IPython.core.getipython import get_ipython
from IPython.display import display

from lyeval.desk.saving import County, again, save
from lyeval.desk.telling import Card, card, form, pair, percent, rows
from lyeval.desk.trial import Question
from lyeval.resources import read_rows
from lyeval.simulation import simulate
from lyeval.told import Told


class Desk(anywidget.AnyWidget):
    """The planner's desk over a county's run.

    Parameters
    ----------
    county
        What the run names.
    lang
        zh or en.
    """

    _esm = Path(__file__).with_name("desk.js")
    _css = Path(__file__).with_name("desk.css")
    words = traitlets.Dict().tag(sync=True)
    form = traitlets.Dict().tag(sync=True)
    rows = traitlets.List().tag(sync=True)
    card = traitlets.Dict().tag(sync=True)
    pair = traitlets.Dict().tag(sync=True)
    told = traitlets.Dict().tag(sync=True)

    def __init__(self, county: County, lang: str = "zh") -> None:
        super().__init__(words=words(lang))
        self.county, self.lang, self.number = county, lang, 0
        self.sides, self.curve = ["ledger", "current"], []
        self.on_msg(lambda _, content, __: self.ask(content))

    def load(self) -> None:
        """Read the ledger and lay the first question out; a fault is told in one line."""
        self._guarded(self._load, {})

    def ask(self, content: Mapping[str, Any]) -> None:
        """Carry out what the page asks: ``kind`` (a key of `ASKED`) and what belongs to it; a fault is told in one line."""
        self.number = int(content.get("number", 0))
        step = ASKED.get(str(content.get("kind")))
        if step is not None:
            self._guarded(lambda: step(self, content), content)

    def say(self, key: str, **given: Any) -> str:
        """Return words of the desk."""
        return self.words[key].format(**given)

    def _guarded(self, step: Callable[[], None], content: Mapping[str, Any]) -> None:
        """Do a step, and tell its end to the page: nothing that goes wrong is shown but in words."""
        told: dict[str, Any] = {"text": "", "fault": False}
        try:
            told["text"] = step() or ""
        except Told as error:
            told = {"text": error.text(self.lang), "fault": True}
        except Exception as error:
            what = f"{type(error).__name__} {next(iter(str(error).splitlines()), '')}".strip()
            told = {"text": self.say("fault", what=what[:200]), "fault": True}
        self.told = {**told, "number": self.number, "kind": content.get("kind", "load")}

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        self.policy, self.ledger = self.county.opened()
        self._laid(self.county.first(self.policy))

    def _laid(self, asked: Question) -> None:
        """Lay a question out and show it; where it cannot be, what stands stays."""
        trial = self.county.trial(self.policy, self.ledger, asked)
        self.trial, self.curve = trial, []
        self.form = form(self.county, self.policy, trial, self.lang)
        self.rows = rows(trial, self.words, self.lang)
        self._show()
        if "tensor" not in vars(trial):
            _ = trial.tensor
            self._show()

    def _show(self) -> None:
        """Show the result of what is chosen, and the two plans side by side."""
        shown: Card = card(self.trial, self.curve, self.words, self.lang)
        self.card = shown | {"number": self.number}
        self._pair()

    def _pair(self) -> None:
        self.pair = pair(self.county, self.trial, self.sides, self.words, self.lang)

    def _choose(self, content: Mapping[str, Any]) -> None:
        self.trial.choose(str(content["code"]), str(content["method"]))
        self._show()

    def _change(self, content: Mapping[str, Any]) -> None:
        """Ask another question: year, target, a reading, line, goal or start."""
        asked, name, value = self.trial.asked, str(content["name"]), content["value"]
        if name == "reading":
            default = {one.id: one.default for one in self.policy.readings} | dict(self.county.readings)
            readings = {**asked.readings, str(content["id"]): str(value)}
            asked = replace(asked, readings={k: v for k, v in readings.items() if default.get(k) != v}, line=None)
        elif name in ("line", "goal"):
            share = name == "goal" and self.trial.view.unit == "" and self.trial.view.kind == "share"
            number = self._number(value, self.words[name])
            asked = replace(asked, **{name: number if number is None or not share else number / 100})
        elif name == "year":
            asked = self._moved(replace(asked, year=int(value), line=None, goal=None))
        elif name in ("target", "start"):
            asked = replace(asked, **{name: str(value)}, **({} if name == "start" else {"line": None, "goal": None}))
        self._laid(asked)

    def _moved(self, asked: Question) -> Question:
        """Keep the target if the plan has it in that year, else take one that it has."""
        there = [one.id for one in self.policy.targets if asked.year in one.years]
        return asked if not there or asked.target in there else replace(asked, target=there[-1])

    def _solve(self, content: Mapping[str, Any]) -> str:
        share = self._number(content["probability"], self.words["probability"], most=100)
        odds = 0.9 if share is None else min(max(share / 100, 0.001), 0.999)
        funds = self._number(content["funds"], self.words["funds"])
        most = self._number(content["at_most"], self.words["at_most"])
        tried = self.trial.solve(odds, funds, None if most is None else int(most))
        self.curve = [(one.cost, one.probability) for one in tried]
        self._show()
        found = self.trial.probability()
        if found >= odds:
            costs = f"{self.trial.chosen['cost_wan'].sum():,.0f}"
            return self.say("sought", n=int(self.trial.taken.sum()), cost=costs)
        view, drawn = self.trial.view, self.trial.found()
        eased = float(np.nanquantile(drawn, odds if view.op == "le" else 1 - odds))
        told = percent(eased) if view.kind == "share" else f"{eased:.3g}"
        return self.say("unreachable", asked=f"{odds:.0%}", most=percent(found), eased=told)

    def _number(self, value: Any, what: str, most: float = np.inf) -> float | None:
        """Read a number as written; nothing written is None."""
        text = str(value if value is not None else "").replace(",", "").replace("，", "").strip().rstrip("%％")
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = np.nan
        if not 0 <= number <= most or np.isinf(number):
            bounds = "range_money" if np.isinf(most) else "range_share"
            pairs = [tuple(words(lang)[key] for lang in ("zh", "en")) for key in ("bad_number", bounds)]
            raise Told(*(text.format(what=what, range=pairs[1][at]) for at, text in enumerate(pairs[0])))
        return number

    def _reset(self, _: Mapping[str, Any]) -> str:
        self._laid(again(self.county, self.trial.asked, None))
        return self.words["reset_done"]

    def _open(self, content: Mapping[str, Any]) -> str:
        path = Path("data") / str(content["name"])
        self._laid(again(self.county, self.trial.asked, path))
        return self.say("opened", name=path.name, n=len(self.trial.base))

    def _save(self, content: Mapping[str, Any]) -> str:
        name = str(content["name"]).strip()
        plan, run = save(self.county, self.trial, name)
        made = simulate(self.trial.now, plan, assumptions=self.county.assumptions, **self._drawn()).targets
        mine = made[(made["id"] == self.trial.view.id) & (made["year"] == self.trial.view.year)]
        odds = float(mine["probability"].iloc[0])
        self.form = form(self.county, self.policy, self.trial, self.lang)
        self._pair()
        told = {"plan": plan.name, "run": run.name, "name": name, "chance": percent(odds)}
        return self.say("saved" if odds == self.trial.probability() else "saved_differs", **told)

    def _drawn(self) -> dict[str, Any]:
        years = self.trial.view.year - self.county.year
        return {"years": years, "draws": self.county.draws, "seed": self.county.seed}

    def _beside(self, content: Mapping[str, Any]) -> None:
        self.sides = [str(content["a"]), str(content["b"])]
        self._pair()


def show(lang: str = "zh", folder: str = "", **run: Any) -> None:
    """Show the desk in a notebook; whatever goes wrong, here or in another cell, is told in one line.

    Parameters
    ----------
    lang
        zh or en.
    folder
        The workspace, below which plans are kept; "" the working folder.
    run
        As a run names them: ledger, policy, year, level, quotas, facts, readings, patch, assumptions, plan, draws, seed.
    """
    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((Exception,), lambda *told: print(_line(told[2], lang)))
    desk = Desk(County(folder=Path(folder or ".").resolve(), **run), lang)
    display(desk)
    desk.load()


def _line(error: BaseException, lang: str) -> str:
    """Tell an error in one line."""
    if isinstance(error, Told):
        return error.text(lang)
    return words(lang)["fault"].format(what=f"{type(error).__name__} {next(iter(str(error).splitlines()), '')}")


@lru_cache(maxsize=2)
def words(lang: str) -> dict[str, str]:
    """Return the desk's words in one language, by key."""
    return {row["key"]: row["en" if lang == "en" else "zh"] for row in read_rows(__file__, "desk.csv")}


ASKED: dict[str, Callable[[Desk, Mapping[str, Any]], Any]] = {
    "choose": Desk._choose,
    "change": Desk._change,
    "solve": Desk._solve,
    "reset": Desk._reset,
    "open": Desk._open,
    "save": Desk._save,
    "compare": Desk._beside,
}

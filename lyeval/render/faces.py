"""The fonts of a paged document: the shipped ones, and an office's own 仿宋, 小标宋, 黑体, 楷体 in their places."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lyeval import resources
from lyeval.render.glyphs import coverage
from lyeval.scratch import scratch

SERIF, SANS = "Lyeval Serif SC", "Lyeval Sans SC"
SHIPPED = resources.PACKAGE / "fonts"


@dataclass(frozen=True, eq=False)
class Faces:
    """Fonts of one document.

    Attributes
    ----------
    roles : dict
        Role (title, body, heading1, heading2, heading3) → family names in order and weight; ``plain`` → family names.
    covered : frozenset of int
        Code points that the body and its stand-ins draw.
    fonts : typst.Fonts
        The loaded files.
    """

    roles: dict[str, Any]
    covered: frozenset[int]
    fonts: Any


@contextmanager
def loaded(paths: Sequence[str | Path] = (), names: Mapping[str, str] | None = None) -> Iterator[Faces]:
    """Load the shipped fonts and an office's own; no installed font is looked at.

    Parameters
    ----------
    paths : sequence of path
        Font files. The family's name says what each is for: 小标宋 titles, 仿宋 body, 黑体 and 楷体 headings of the first
        and second level.

    names : mapping of str to str, optional
        Role (title, body, heading1, heading2) → the family that an office uses there, whatever it is called.

    Raises
    ------
    ValueError
        Not a font, or a family that is none of the four; the message names the file.
    """
    if not paths:
        yield _shipped()
        return
    with scratch() as folder:
        for place, path in enumerate(map(Path, paths)):
            shutil.copyfile(path, folder / f"{place:02d}{path.suffix.lower()}")
        yield _office(str(folder), [Path(path) for path in paths], names or {})


@lru_cache(maxsize=1)
def _shipped() -> Faces:
    """Load the shipped fonts, once."""
    return Faces(_roles({}), _covered(), _fonts([SHIPPED]))


def _office(folder: str, paths: Sequence[Path], names: Mapping[str, str]) -> Faces:
    """Load copies of an office's files beside the shipped fonts, and give each its role."""
    fonts, own = _fonts([SHIPPED, folder]), {}
    families = {Path(info.path).stem: info.family for info in fonts.fonts() if str(info.path).startswith(folder)}
    extra: frozenset[int] = frozenset()
    for place, path in enumerate(paths):
        family = families.get(f"{place:02d}", "")
        said = next((role for role, name in names.items() if name == family), None)
        role = said or next((role for role, words in FAMILIES if re.search(words, family, re.IGNORECASE)), None)
        if role is None:
            raise ValueError(
                f"fonts: {path.name}（{family or '?'}）: 不是小标宋、仿宋、黑体或楷体字体文件 / "
                "not a font file of one of these families: XiaoBiaoSong, FangSong, SimHei, KaiTi"
            )
        own[role] = family
        if role == "body":
            extra = coverage(path)
    return Faces(_roles(own), _covered() | extra, fonts)


def _roles(own: dict[str, str]) -> dict[str, Any]:
    """Return families and weights by role; a shipped face stands behind each of the office's."""
    body = [own["body"]] if "body" in own else []

    def face(role: str, behind: str, weight: int) -> dict[str, Any]:
        first = [own[role]] if role in own else []
        return {"family": [*first, behind, *body], "weight": 400 if first else weight}

    return {
        "body": [*body, SERIF, SANS],
        "plain": [SANS, SERIF, *body],
        "title": face("title", SERIF, 700),
        "heading1": face("heading1", SANS, 700),
        "heading2": face("heading2", SERIF, 700),
        "heading3": {"family": [*body, SERIF], "weight": 700},
    }


def _covered() -> frozenset[int]:
    """Return the code points that every shipped face draws."""
    return frozenset.intersection(*(coverage(path) for path in sorted(SHIPPED.glob("*.otf"))))


def _fonts(folders: Sequence[str | Path]) -> Any:
    """Let typst load the fonts of some folders and those in its own wheel (Libertinus, for English), no others."""
    import typst

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(folder) for folder in folders]
    )


FAMILIES = (
    ("title", "小标宋|biao ?song|fzxbs"),
    ("body", "仿宋|fang ?song"),
    ("heading1", "黑体|hei"),
    ("heading2", "楷|kai"),
)

"""Build the shipped font subset from the Debian packages fonts-noto-cjk and unicode-data.

``python lyeval/fonts/build.py`` rewrites the four faces and ``README.md`` beside this file. It needs fontTools and
the two Debian packages; nothing is downloaded. The family is renamed, so that a Noto font installed on the machine can
never stand in for the shipped one and a figure is the same everywhere.

Coverage: GB 2312 (all rows), 通用规范汉字表 (``kTGH`` of Unihan), Latin, Greek, punctuation, full-width forms, the
signs that offices type (①, Ⅳ, ㎡, ‰, □, √, ✓, →, ≥ …). A sign that a face lacks is left out of that face.
"""

from __future__ import annotations

import bz2
import hashlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NOTO = Path("/usr/share/fonts/opentype/noto")
UNIHAN = Path("/usr/share/unicode/Unihan_OtherMappings.txt.bz2")
SIMPLIFIED = 2  # index of the SC face within each Noto CJK collection


def characters() -> set[int]:
    """Return every code point that the subset is asked to cover."""
    wanted = {ord(c) for c in _gb2312()} | _ktgh()
    for first, last in RANGES:
        wanted.update(range(first, last + 1))
    return wanted | {ord(c) for c in SIGNS}


def _gb2312() -> str:
    """Decode all 94 x 94 cells of GB 2312 (gaps are skipped)."""
    rows = range(0xA1, 0xFF)
    return "".join(bytes((row, cell)).decode("gb2312", "ignore") for row in rows for cell in rows)


def _ktgh() -> set[int]:
    """Read the code points of 通用规范汉字表 from Unihan."""
    with bz2.open(UNIHAN, "rt", encoding="utf-8") as lines:
        return {int(line.split("\t")[0][2:], 16) for line in lines if "\tkTGH\t" in line}


def build(source: Path, target: Path, family: str, style: str) -> int:
    """Write one face and return how many characters it covers."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(hinting=False, layout_features=[], name_IDs=["*"], notdef_outline=True)
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
    font = TTFont(source, fontNumber=SIMPLIFIED, recalcTimestamp=False)
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=characters() & set(font.getBestCmap() or ()))
    chosen.subset(font)
    _rename(font, family, style)
    font.save(target, reorderTables=True)
    return len(font.getBestCmap() or ())


def _rename(font: Any, family: str, style: str) -> None:
    """Give the face its own family name; copyright, trademark and licence stay."""
    postscript = f"{family.replace(' ', '')}-{style}"
    names = {
        1: family,
        2: style,
        3: f"{postscript};subset of {font['name'].getDebugName(4)}",
        4: f"{family} {style}",
        6: postscript,
    }
    for record in list(font["name"].names):
        if record.nameID in names or record.nameID in (16, 17) or record.langID != 0x409:
            font["name"].removeNames(nameID=record.nameID, langID=record.langID)
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    cff = font["CFF "].cff
    cff.fontNames = [postscript]
    cff.topDictIndex[0].FullName, cff.topDictIndex[0].FamilyName = f"{family} {style}", family


def main() -> None:
    """Build all faces and the sidecar that tells source and hash of each."""
    lines = []
    for name, (source, family, style) in FACES.items():
        origin, target = NOTO / source, HERE / name
        count = build(origin, target, family, style)
        size = target.stat().st_size / 1e6
        lines.append(
            f"| {name} | {family} | {count} | {size:.1f} MB | {_sha256(target)} | {source} | {_sha256(origin)} |"
        )
        print(lines[-1])
    (HERE / "README.md").write_text(SIDECAR + "\n".join(lines) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    """Hash a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


RANGES = (
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x017F),  # Latin-1, Latin Extended-A
    (0x0391, 0x03C9),  # Greek
    (0x2010, 0x205E),  # general punctuation, ‰
    (0x2070, 0x209C),  # super- and subscripts
    (0x20A0, 0x20BF),  # currency
    (0x2100, 0x214F),  # letterlike: ℃ №
    (0x2150, 0x218B),  # Roman numerals, fractions
    (0x2190, 0x21FF),  # arrows
    (0x2200, 0x22FF),  # mathematical operators
    (0x2460, 0x24FF),  # enclosed numbers
    (0x25A0, 0x25FF),  # □ ■ ▲ ● ○
    (0x2600, 0x266F),  # ★ ☆ ☑
    (0x2701, 0x27BF),  # ✓ ✗
    (0x3000, 0x303F),  # CJK punctuation, 〇
    (0x3200, 0x33FF),  # ㈠ ㎡ ㎞
    (0xFE30, 0xFE4F),  # compatibility forms
    (0xFF00, 0xFFEF),  # full-width forms
)
SIGNS = "□√✓✗●○→≥≤×²³㎡‰−–—…·§†"
FACES = {
    "LyevalSans-Regular.otf": ("NotoSansCJK-Regular.ttc", "Lyeval Sans SC", "Regular"),
    "LyevalSans-Bold.otf": ("NotoSansCJK-Bold.ttc", "Lyeval Sans SC", "Bold"),
    "LyevalSerif-Regular.otf": ("NotoSerifCJK-Regular.ttc", "Lyeval Serif SC", "Regular"),
    "LyevalSerif-Bold.otf": ("NotoSerifCJK-Bold.ttc", "Lyeval Serif SC", "Bold"),
}
SIDECAR = """# Shipped fonts 随附字体

Subset of Noto Sans CJK SC and Noto Serif CJK SC (© Adobe, SIL Open Font License 1.1: `OFL.txt`), renamed, without
hinting, layout features and vertical metrics. Made by `python lyeval/fonts/build.py` from the Debian packages
`fonts-noto-cjk` 1:20220127+repack1-1 and `unicode-data` (Unihan `kTGH`). Covers GB 2312, 通用规范汉字表, Latin, Greek,
punctuation and the signs that offices type. The family name differs from Noto's, so that an installed font never stands
in for it.

| file | family | characters | size | sha256 | source | sha256 of source |
|---|---|---|---|---|---|---|
"""

if __name__ == "__main__":
    main()

"""A new workspace: where ledgers go, an example run file, how to begin (工作区)."""

from __future__ import annotations

from pathlib import Path

from lyeval.run.errors import RunError, unwritable
from lyeval.run.folders import linked, stands
from lyeval.run.placing import named, write_new


def lay_out(folder: Path) -> list[Path]:
    """Make a workspace in which ``lyeval run example`` works.

    Returns
    -------
    list of Path
        The files written; one that stands there already as it would be written is left as it is.

    Raises
    ------
    RunError
        Something else has the name of one of the files or folders, all files are there, or the folder cannot be written.
    """
    named(folder)
    if stands(folder) and ((linked(folder) and not folder.exists()) or not folder.is_dir()):
        raise RunError(
            f"{folder} 是一个文件，不能作工作区；请另给一个文件夹名",
            f"{folder} is a file and cannot be a workspace: name a folder",
            misuse=True,
        )
    there = [name for name in FILES if _taken(folder, name)]
    done = [name for name in FILES if name not in there and stands(folder / name)]
    if there or len(done) == len(FILES):
        names = "、".join(there or done)
        raise RunError(
            f"{folder} 中已有 {names}，没有改动；请另选一个文件夹",
            f"{folder} already holds {names}; nothing was changed: choose another folder",
        )
    try:
        for name in FILES:
            if name not in done:
                write_new(folder / name, FILES[name])
    except OSError as error:
        raise unwritable(folder, error) from None
    return [folder / name for name in FILES]


def _taken(folder: Path, name: str) -> bool:
    """Tell whether a file, or a folder above it, cannot be made because something else has its name."""
    path = folder / name
    above = [parent for parent in path.parents if parent.is_relative_to(folder) and parent != folder]
    if any(stands(parent) and (linked(parent) or not parent.is_dir()) for parent in above):
        return True
    same = stands(path) and path.is_file() and not linked(path) and path.read_bytes() == FILES[name].encode("utf-8")
    return stands(path) and not same


README = """\
# 工作区 / workspace

1. 把台账（xlsx、csv，或一个文件夹）放进 `data/`，先检查：`lyeval check data/台账.xlsx`
2. 复制 `parameters/runs/example.yaml`，改 `ledger`、`policy`、`year` 等；`lyeval policy list` 列出自带的方案
3. 运行：`lyeval run parameters/runs/你的文件.yaml`，报告在 `reports/` 下
4. 试算：`lyeval explore 你的文件`

Put ledgers in `data/`, check them with `lyeval check`, copy `parameters/runs/example.yaml`, run it with `lyeval run`;
reports appear below `reports/`. `lyeval run example` works at once, on a made ledger.
"""
EXAMPLE = Path(__file__).with_name("starter.yaml").read_text(encoding="utf-8")
FILES = {
    "README.md": README,
    "parameters/runs/example.yaml": EXAMPLE,
    "data/README.md": "台账放在这里，不会被上传或改动。 / Put ledgers here.\n",
    ".gitignore": "data/*\n!data/README.md\nreports/\nexplore/\n",
}

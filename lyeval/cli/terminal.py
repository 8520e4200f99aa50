"""How the command line speaks: the language asked for, tables, errors without tracebacks, exit codes (提示).

Text from files and arguments is text alone: it is never read as markup, nor as a command by the terminal.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lyeval.textfiles import CONTROL, name_fault, shown, visible
from lyeval.told import Told, message

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from lyeval.ledger import Fault

MISUSE, FAULTS, STOPPED = 2, 1, 130
NOTHING = "—"
SPOKEN = {"lang": "zh"}
STYLES = {
    **{"error": "bold red", "warning": "yellow", "gap": "cyan"},
    **{"met": "bold blue", "missed": "bold red", "undetermined": "bold yellow"},
}


# -- the language ------------------------------------------------------------------------------------------------------


def _language(value: str | None) -> str | None:
    if value not in (None, "zh", "en"):
        refuse("cli.lang", value=value)
    SPOKEN["lang"] = value or "zh"
    return value


Lang = Annotated[
    str | None,
    typer.Option("--lang", help="语言 zh | en / language", callback=_language, is_eager=True, metavar="zh|en"),
]


def lang() -> str:
    """Return the language that the command was asked to speak."""
    return SPOKEN["lang"]


def spoken(zh: Any, en: Any) -> Any:
    """Return which of two is in the language spoken."""
    return en if lang() == "en" else zh


def say(key: str, /, **given: Any) -> str:
    """Return a row of ``messages.csv`` in the language spoken."""
    return spoken(*message(key, **given))


def tell_done(key: str, /, **given: Any) -> None:
    """Print a row of ``messages.csv`` on the terminal."""
    console().print(say(key, **given))


def joined(names: Iterable[str]) -> str:
    """Return names as a list is read in the language spoken."""
    return spoken("、", ", ").join(names)


# -- refusing ----------------------------------------------------------------------------------------------------------


class Refused(Exception):
    """A command that asks for something that cannot be had."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def refuse(key: str, /, *, code: int = MISUSE, **given: Any) -> NoReturn:
    """End the command with a row of ``messages.csv`` and an exit code."""
    raise Refused(say(key, **given), code)


def legible(function: Callable[..., None]) -> Callable[..., None]:
    """Return a command that refuses arguments no text or file can be: control characters, too long, names kept by Windows."""

    @wraps(function)
    def checked(**given: Any) -> None:
        for name, value in given.items():
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str | Path):
                    _fit(name, str(text))
        function(**given)

    return checked


def _fit(name: str, text: str) -> None:
    """Refuse one argument's text."""
    fault = None
    if CONTROL.search(text):
        fault = message("cli.control")
    elif name in READ or name in WRITTEN:
        found = name_fault(text, written=name in WRITTEN)
        fault = None if found is None else found[::-1]
    if fault is not None:
        refuse("file.name", path=shown(text), why=fault)


READ = ("ledger", "policy", "file", "files", "run", "inputs", "source", "before", "after", "a", "b")
WRITTEN = ("out", "folder")


def chosen(option: str, value: str, known: tuple[str, ...]) -> str:
    """Return an option's value, refusing one that is not among those known."""
    if value not in known:
        refuse("cli.one_of", option=option, value=value, known=("、".join(known), ", ".join(known)))
    return value


# -- the screen --------------------------------------------------------------------------------------------------------


def console(*, stderr: bool = False) -> Console:
    """Return a console that prints text as it is: no markup, no emoji, no guessing at numbers."""
    from rich.console import Console
    from rich.segment import Segment

    class Plain(Console):
        """A console on which text of files and arguments is nothing but text."""

        def render(self, renderable: Any, options: Any = None) -> Iterator[Any]:
            for part in super().render(renderable, options):
                yield part if part.control else Segment(visible(part.text), part.style)

    return Plain(stderr=stderr, markup=False, emoji=False, highlight=False)


@contextmanager
def safe_streams() -> Iterator[None]:
    """Write nothing to the terminal, within the block, that it would take for a command: control characters are left out.

    What a console itself writes (colours, moves of the cursor) goes past this, to the stream beneath.
    """
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Seen(stream) for stream in streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


class _Seen:
    """A stream that passes on what is `visible`."""

    def __init__(self, beneath: Any) -> None:
        self.beneath = beneath
        self.rich_proxied_file = beneath  # where a console looks for the stream itself

    def write(self, text: str) -> int:
        self.beneath.write(visible(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)


def busy(key: str) -> Any:
    """Return a context that shows at the terminal that something is under way."""
    return console(stderr=True).status(say(key))


def grid(*heads: str, headed: bool = True, **styles: Any) -> Table:
    """Return an empty table in the house style: no box but a rule below the headings.

    Parameters
    ----------
    heads
        A row of ``messages.csv`` for each column; ``>`` after it: figures, to the right, never broken.
    styles
        Of the first column.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD if headed else None, show_header=headed, pad_edge=False, padding=(0, 1))
    for head in heads:
        name, figures, first = head.rstrip(">"), head.endswith(">"), not table.columns
        plain: dict[str, Any] = {"justify": "right", "no_wrap": True} if figures else {"overflow": "fold"}
        table.add_column(say(f"head.{name}"), **plain | (styles if first else {}))
    return table


def text(content: Any, style: str = "") -> Text:
    """Return a text that is nothing but text."""
    from rich.text import Text

    return Text(str(content), style=style)


def word(key: str) -> Text:
    """Return a severity or status in words, in its colour."""
    return text(say(key), STYLES[key])


def value_text(value: Any) -> str:
    """Write a value of a table plainly."""
    if value is None or value != value:
        return NOTHING
    if value is True or value is False or type(value).__name__ == "bool":
        return say("yes" if value else "no")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.6g}"
    return str(value)


def faults(found: Iterable[Fault], *, stderr: bool = False) -> None:
    """Print faults, one line a rule with its count."""
    from rich.text import Text

    from lyeval.ledger import grouped

    out = console(stderr=stderr)
    for group in grouped(found, places=2):
        head = word(group.severity)
        first, *rest = wrapped(group.text(lang()), out.width - head.cell_len - 2)
        out.print(Text.assemble(head, "  ", first), soft_wrap=True)
        for line in rest:
            out.print(" " * (head.cell_len + 2) + line, soft_wrap=True)


def wrapped(line: str, width: int) -> list[str]:
    """Break a text into lines of ``width`` columns: between Chinese signs, never inside a word, no line begins with a stop."""
    from rich.cells import cell_len

    lines = [""]
    for part in re.findall(r"[“（]*(?:[!-~]+|\s+|.)[，。；：、）”！？]*", line):
        if cell_len(lines[-1]) + cell_len(part) <= width or not lines[-1]:
            lines[-1] += part
        else:
            lines.append(part.lstrip())
    return lines


def near(path: Path) -> Path:
    """Return a path from the working folder where it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


# -- errors ------------------------------------------------------------------------------------------------------------


def tell(error: BaseException) -> int:
    """Print what went wrong and what to do, and return the exit code."""
    stopped = isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort"
    if isinstance(error, SystemExit) and error.code != STOPPED:
        return error.code if isinstance(error.code, int) else 1
    if stopped or isinstance(error, SystemExit):
        _print(say("cli.stopped"))
        return STOPPED
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if isinstance(error, Refused):
        _print(str(error))
        return error.code
    if hasattr(error, "format_message"):
        _print(_usage(error))
        return MISUSE
    return _library(error)


def _library(error: BaseException) -> int:
    """Tell an error of the library: known ones in their own words, others as a defect."""
    if isinstance(error, Told):
        if found := getattr(error, "faults", None):
            faults(found, stderr=True)
        else:
            told = error.text(lang())
            _print(told if "\n" not in told else f"\n{told}")
        return MISUSE if error.misuse else FAULTS
    if type(error).__name__ == "FileCreateError" and error.args and isinstance(error.args[0], OSError):
        error = error.args[0]
    if isinstance(error, OSError):
        what = f"{error.strerror or error}" + (
            f"{'：' if lang() == 'zh' else ': '}{error.filename}" if error.filename else ""
        )
        _print(say("cli.file", what=what))
        return FAULTS
    if os.environ.get("LYEVAL_DEBUG"):
        raise error
    _print(say("cli.defect", told=f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"))
    return FAULTS


def _print(line: str) -> None:
    typer.echo(f"{say('cli.error')}{line}", err=True)


def _usage(error: Any) -> str:
    """Say what is wrong with a command line."""
    plain = error.format_message().strip()
    if lang() == "en":
        return f"{plain}\nsee lyeval --help"
    name, told = type(error).__name__, plain
    close = "、".join(getattr(error, "possibilities", None) or ())
    hint = f"，是否想写 {close}？" if close else ""
    param = getattr(error, "param", None)
    label = (param.opts[-1] if param.opts[-1].startswith("-") else param.metavar or param.name.upper()) if param else ""
    if name == "NoSuchOption":
        told = f"没有选项 {error.option_name}{hint}"
    elif name == "MissingParameter":
        told = f"缺少 {label}"
    elif name == "BadParameter":
        told = f"{label} 的值不合要求：{_translated(error.message)}"
    elif plain.startswith("No such command"):
        name, _, close = plain.removeprefix("No such command ").partition(" Did you mean ")
        told = f"没有命令 {name.strip(' .')}" + (f"，是否想写 {close.rstrip('?')}？" if close else "")
    elif plain.startswith("Got unexpected extra argument"):
        told = f"多出的参数 {plain.partition('(')[2].rstrip(')')}"
    return f"{told}\n用 lyeval --help 或 lyeval 命令 --help 查看写法"


def _translated(plain: str) -> str:
    """Say in Chinese what the most usual messages about a value say."""
    if least := re.search(r"greater than or equal to (-?[\d.]+)", plain):
        return f"须不小于{least[1]}"
    known = {"valid integer": "须为整数", "valid float": "须为数", "not in the range": "超出范围"}
    return next((chinese for english, chinese in known.items() if english in plain), plain)

"""How the command line speaks: the language asked for, errors without tracebacks, exit codes (提示)."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lyeval.textfiles import CONTROL, name_fault, shown, visible

if TYPE_CHECKING:
    from rich.console import Console

MISUSE, FAULTS, STOPPED = 2, 1, 130
SPOKEN = {"lang": "zh"}


def _language(value: str | None) -> str | None:
    if value not in (None, "zh", "en"):
        refuse(f"--lang {value}：只能是 zh 或 en", f"--lang {value}: zh or en")
    SPOKEN["lang"] = value or "zh"
    return value


Lang = Annotated[
    str | None,
    typer.Option("--lang", help="语言 zh | en / language", callback=_language, is_eager=True, metavar="zh|en"),
]


def lang() -> str:
    """Return the language that the command was asked to speak."""
    return SPOKEN["lang"]


def say(zh: str, en: str) -> str:
    """Return the text in the language spoken."""
    return en if lang() == "en" else zh


class Refused(Exception):
    """A command that asks for something that cannot be had."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def refuse(zh: str, en: str, *, code: int = MISUSE) -> None:
    """End the command with a message and an exit code."""
    raise Refused(say(zh, en), code)


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
        fault = "control characters or halves of characters", "含有控制字符或残缺的字符"
    elif name in READ or name in WRITTEN:
        fault = name_fault(text, written=name in WRITTEN)
    if fault is not None:
        refuse(f"{shown(text)}：{fault[1]}", f"{shown(text)}: {fault[0]}")


READ = ("ledger", "policy", "file", "files", "run", "inputs", "source", "before", "after", "a", "b")
WRITTEN = ("out", "folder")


def chosen(option: str, value: str, known: tuple[str, ...]) -> str:
    """Return an option's value, refusing one that is not among those known."""
    if value not in known:
        listed = "、".join(known)
        refuse(f"{option} {value}：只能是 {listed}", f"{option} {value}: one of {', '.join(known)}")
    return value


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
        self.beneath = self.rich_proxied_file = (
            beneath  # the second name is where a console looks for the stream itself
        )

    def write(self, text: str) -> int:
        self.beneath.write(visible(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)


def busy(zh: str, en: str) -> Any:
    """Return a context that shows at the terminal that something is under way."""
    return console(stderr=True).status(say(zh, en))


def tell(error: BaseException) -> int:
    """Print what went wrong and what to do, and return the exit code."""
    stopped = isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort"
    if isinstance(error, SystemExit) and error.code != STOPPED:
        return error.code if isinstance(error.code, int) else 1
    if stopped or isinstance(error, SystemExit):
        _print(say("已中止", "stopped"))
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
    from lyeval.ledger import LedgerError
    from lyeval.told import Told

    if isinstance(error, LedgerError):
        from lyeval.cli.showing import faults

        faults(error.faults, stderr=True)
        return MISUSE if error.misuse else FAULTS
    if isinstance(error, Told):
        _print(_lines(error.text(lang())))
        return MISUSE if error.misuse else FAULTS
    if type(error).__name__ == "FileCreateError" and error.args and isinstance(error.args[0], OSError):
        error = error.args[0]
    if isinstance(error, OSError):
        what = f"{error.strerror or error}" + (f"：{error.filename}" if error.filename else "")
        _print(say(f"文件无法读写：{what}", f"a file cannot be read or written: {what}"))
        return FAULTS
    if os.environ.get("LYEVAL_DEBUG"):
        raise error
    told = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
    _print(
        say(
            f"程序出错：{told}\n设环境变量 LYEVAL_DEBUG=1 再运行一次可看到详细位置，请连同它报告",
            f"unexpected error: {told}\nrun again with LYEVAL_DEBUG=1 to see where, and report it with that",
        )
    )
    return FAULTS


def _print(text: str) -> None:
    mark = say("错误：", "error: ")
    typer.echo(f"{mark}{text}", err=True)


def _lines(text: str) -> str:
    """Begin several lines on a line of their own."""
    return text if "\n" not in text else "\n" + text


def _usage(error: Any) -> str:
    """Say what is wrong with a command line."""
    message = error.format_message().strip()
    if lang() == "en":
        return f"{message}\nsee lyeval --help"
    name, text = type(error).__name__, message
    close = "、".join(getattr(error, "possibilities", None) or ())
    hint = f"，是否想写 {close}？" if close else ""
    param = getattr(error, "param", None)
    label = (param.opts[-1] if param.opts[-1].startswith("-") else param.metavar or param.name.upper()) if param else ""
    if name == "NoSuchOption":
        text = f"没有选项 {error.option_name}{hint}"
    elif name == "MissingParameter":
        text = f"缺少 {label}"
    elif name == "BadParameter":
        text = f"{label} 的值不合要求：{_translated(error.message)}"
    elif message.startswith("No such command"):
        name, _, close = message.removeprefix("No such command ").partition(" Did you mean ")
        text = f"没有命令 {name.strip(' .')}" + (f"，是否想写 {close.rstrip('?')}？" if close else "")
    elif message.startswith("Got unexpected extra argument"):
        text = f"多出的参数 {message.partition('(')[2].rstrip(')')}"
    return f"{text}\n用 lyeval --help 或 lyeval 命令 --help 查看写法"


def _translated(message: str) -> str:
    """Say in Chinese what the most usual messages about a value say."""
    least = re.search(r"greater than or equal to (-?[\d.]+)", message)
    if least:
        return f"须不小于{least[1]}"
    for english, chinese in (
        ("valid integer", "须为整数"),
        ("valid float", "须为数"),
        ("not in the range", "超出范围"),
    ):
        if english in message:
            return chinese
    return message

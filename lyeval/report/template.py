"""A report's prose as a template that one can read: Markdown with Jinja2 in its sandbox, parsed into blocks (模板).

A template chooses words; it does no arithmetic. What it prints from a table is a `Value`, which carries the id of its cell,
so that every figure on a page leads back to its cell by construction. A value leaves Jinja as a token between two
private-use signs and is put in after Markdown is parsed: nothing in a name can become markup.

In a template stand ``fig(table, *keys, column)``, ``row(table, *keys)``, ``rows(table, column=value)``, ``table(name)``,
``figure(name)``, ``cards(name)``, ``id(name)`` in a heading, ``ref(name)`` for a section by its name, ``slot(name, hint)``
for the office's own words, ``blank(name, line)`` for those within a sentence (a line to be filled in by hand where there are none), and
what the caller adds. A paragraph that begins with ← or → stands flush left or at the right.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from lyeval.render.blocks import Block, Bullets, Heading, Lang, Mark, Note, Paragraph, Slot, Text
from lyeval.report.cells import Row, Rows, Selector, Value
from lyeval.told import Told

OPEN, CLOSE = "\ue000", "\ue001"
TOKEN = re.compile(f"{OPEN}(\\d+){CLOSE}")
PRIVATE = re.compile("[\ue000-\uf8ff]")
NUMERALS = "一二三四五六七八九十"
CAUTION = ("！", "! ")
SIDES: dict[str, Literal["left", "right"]] = {
    "←": "left",
    "→": "right",
}  # how a paragraph begins that stands flush left (主送) or at the right (落款)
BLANK = "________"


class TemplateError(Told):
    """A template that cannot be used: file, line, what is wrong."""


def fault(name: str, line: int, zh: str, en: str) -> TemplateError:
    """Return the error of a template's line; 0 for no line of it."""
    place = f"{name}:{line}: " if line else f"{name}: "
    return TemplateError(place + zh, place + en)


@dataclass(frozen=True)
class Section:
    """What ``id`` puts into a heading: its name, whether it is numbered, begins a page, sets its text closer, is a paper's title."""

    name: str
    numbered: bool = True
    fresh: bool = False
    close: bool = False
    titled: bool = False


@dataclass(frozen=True)
class Reference:
    """What ``ref`` puts in: a section by its name, numbered once all are known."""

    name: str


@dataclass
class Sheet:
    """All that one rendering puts between its private-use signs."""

    held: list[Any] = field(default_factory=list)

    def hold(self, thing: Any) -> str:
        """Return the token that stands for a thing."""
        self.held.append(thing)
        return f"{OPEN}{len(self.held) - 1}{CLOSE}"


@dataclass(frozen=True)
class Template:
    """A template's text, with its name for errors, and others that it may include by name."""

    name: str
    source: str
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def _compiled(self) -> Any:
        return _compiled(self.name, frozenset({**self.others, self.name: self.source}.items()))

    def check(self) -> None:
        """Compile the template, filling nothing.

        Raises
        ------
        TemplateError
            It is no template: told with file and line.
        """
        import jinja2

        if (private := PRIVATE.search(self.source)) is not None:
            line = self.source[: private.start()].count("\n") + 1
            raise fault(self.name, line, "模板里有私用区字符", "a private-use character in the template")
        try:
            _ = self._compiled
        except jinja2.TemplateSyntaxError as error:
            raise fault(error.name or self.name, error.lineno, f"模板写法有误：{_said(error)}", _said(error)) from None

    def blocks(
        self,
        select: Selector,
        *,
        lang: Lang,
        things: Mapping[str, Callable[..., Any]] | None = None,
        words: Mapping[str, Any] | None = None,
        texts: Mapping[str, str] | None = None,
    ) -> list[Block]:
        """Fill the template and return its blocks, sections numbered, those without content left out.

        Parameters
        ----------
        select
            The run's tables, by cell.
        things
            Makers of blocks that the template may name: ``table``, ``figure``, ``cards``; each takes plain values, returns a block, several or None.
        words
            More names that the template may use.
        texts
            The office's own words by slot.

        Raises
        ------
        TemplateError
            The template is wrong: told with file and line.
        """
        self.check()
        sheet = Sheet()
        text = self._filled(sheet, select, things or {}, words or {}, texts or {})
        return _Reader(self.name, sheet, lang).read(text)

    def _filled(self, sheet: Sheet, select: Selector, things: Any, words: Any, texts: Mapping[str, str]) -> str:
        import jinja2

        select = select.onto(sheet.hold)

        def made(kind: str) -> Callable[..., str]:
            def call(*args: Any, **more: Any) -> str:
                block = things[kind](*(a.raw if isinstance(a, Value) else a for a in args), **more)
                return sheet.hold([] if block is None else [block] if isinstance(block, Block) else list(block))

            return call

        def slot(name: str, hint: str = "") -> str:
            written = texts.get(name, "").strip()
            if not written:
                return sheet.hold([Slot(name, hint)])
            return sheet.hold([Paragraph(part.strip()) for part in written.split("\n") if part.strip()])

        names = {
            "fig": select.figure,
            "row": select.row,
            "rows": select.rows,
            "has": select.has,
            "id": lambda name, **more: sheet.hold(Section(name, **more)),
            "ref": lambda name: sheet.hold(Reference(name)),
            "slot": slot,
            "blank": lambda name, line=BLANK: Value("", name, texts.get(name, "").strip() or line, sheet.hold),
            **{kind: made(kind) for kind in things},
            **{name: _inert(word, sheet.hold) for name, word in words.items()},
        }
        try:
            return self._compiled.render(names)
        except jinja2.TemplateSyntaxError as error:
            said = _said(error)
            raise fault(error.name or self.name, error.lineno, f"模板写法有误：{said}", said) from None
        except (jinja2.TemplateError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            name, line = _place(error, self)
            zh, en = getattr(error, "zh", f"模板写法有误：{_said(error)}"), getattr(error, "en", _said(error))
            raise fault(name, line, zh, en) from None


@lru_cache(maxsize=64)
def _compiled(name: str, texts: frozenset[tuple[str, str]]) -> Any:
    """Compile a template with those that it may include, once for all reports of a process."""
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    sources = dict(texts)
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_only_values,
        loader=jinja2.FunctionLoader(lambda name: (sources[name], name, None) if name in sources else None),
    )
    return environment.get_template(name)


def _inert(word: Any, hold: Callable[[Any], str]) -> Any:
    """Return a text, or each of a list, as a value: what it holds cannot become markup."""
    if isinstance(word, list):
        return [_inert(one, hold) for one in word]
    return Value("", word, word, hold) if isinstance(word, str) else word


def _only_values(value: Any) -> Any:
    """Let text and cells onto the page; refuse a number that has no cell."""
    if isinstance(value, bool) or value is None or isinstance(value, int | float):
        raise TypeError(
            f"{value!r}：数须取自表中的格（fig、row、rows 的 count 或 sum） / a figure must come from a cell of a table"
        )
    return value


def _said(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _place(error: BaseException, template: Template) -> tuple[str, int]:
    """Return the template and line that an error was raised at, as Jinja rewrites its traceback."""
    known = {template.name, *template.others}
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in known or frame.filename == "<template>":
            return (frame.filename if frame.filename in known else template.name), frame.lineno or 0
    return template.name, 0


@dataclass
class _Reader:
    """Reads filled Markdown into blocks."""

    name: str
    sheet: Sheet
    lang: Lang
    sections: dict[str, str] = field(default_factory=dict)
    close: bool = False

    def read(self, text: str) -> list[Block]:
        from markdown_it import MarkdownIt

        parsed = MarkdownIt("zero").enable(["heading", "list", "blockquote"]).parse(text)
        made = _pruned(list(self._blocks(parsed)))
        numbered, self.sections = _numbered(made, self.lang)
        return [self._resolved(block) for block in numbered]

    def _blocks(self, tokens: Sequence[Any]) -> Iterator[Block | _Head]:
        at = 0
        while at < len(tokens):
            token = tokens[at]
            end = _closing(tokens, at)
            inside = tokens[at + 1 : end]
            if token.type == "heading_open":
                yield self._heading(int(token.tag[1:]), inside[0])
            elif token.type == "paragraph_open":
                yield from self._paragraph(inside[0])
            elif token.type == "blockquote_open":
                yield from (self._note(t) for t in inside if t.type == "inline")
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                items = tuple(self._text(t) for t in inside if t.type == "inline")
                yield Bullets(tuple(i for i in items if i.strip()), token.type.startswith("ordered"))
            at = end + 1

    def _heading(self, level: int, token: Any) -> _Head:
        section = Section("")
        for held in self._held(token.content):
            section = held if isinstance(held, Section) else section
        section = replace(section, numbered=section.numbered and not section.titled)
        self.close = section.close if level == 1 else self.close
        return _Head(min(level, 3), self._text(token), section)

    def _paragraph(self, token: Any) -> Iterator[Block]:
        whole = TOKEN.sub("", token.content).strip()
        blocks = [b for held in self._held(token.content) if isinstance(held, list) for b in held]
        if blocks and whole:
            line = (token.map or [0])[0] + 1
            raise fault(
                self.name,
                0,
                f"表或图须单独成段：{whole[:20]}（成文第 {line} 行）",
                f"a table or figure must stand alone: {whole[:20]} (line {line} of the text)",
            )
        text = self._text(token)
        yield from blocks
        side = SIDES.get(token.content[:1])
        if side is not None:
            yield Paragraph(_cut(text, len(text) - len(text[1:].lstrip())), align=side)
        elif text.strip():
            yield Paragraph(text, self.close)

    def _note(self, token: Any) -> Note:
        text = self._text(token)
        for sign in CAUTION:
            if text.startswith(sign):
                return Note(_cut(text, len(sign)), "open")
        return Note(text)

    def _held(self, content: str) -> list[Any]:
        return [self.sheet.held[int(found)] for found in TOKEN.findall(content)]

    def _text(self, token: Any) -> Text:
        """Return an inline token's text with its cells put in."""
        content = re.sub(r" *\n *", "" if self.lang == "zh" else " ", token.content)
        parts: list[str] = []
        marks: list[Mark] = []
        at, length = 0, 0

        def add(piece: str, id: str = "") -> None:
            nonlocal length
            if id:
                marks.append(Mark(length, length + len(piece), id))
            parts.append(piece)
            length += len(piece)

        for found in TOKEN.finditer(content):
            add(content[at : found.start()])
            at = found.end()
            held = self.sheet.held[int(found.group(1))]
            if isinstance(held, Value):
                add(held.text, held.id)
            elif isinstance(held, Reference):
                add("?", OPEN + held.name)
        add(content[at:])
        return Text("".join(parts), marks)

    def _resolved(self, block: Block) -> Block:
        """Put the numbers of sections into references."""
        if isinstance(block, Paragraph):
            return Paragraph(self._referred(block.text), block.close, block.align)
        if isinstance(block, Note):
            return Note(self._referred(block.text), block.tone)
        if isinstance(block, Bullets):
            return Bullets(tuple(self._referred(item) for item in block.items), block.ordered)
        return block

    def _referred(self, text: str) -> str:
        marks = getattr(text, "marks", ())
        mark = next((m for m in marks if m.id.startswith(OPEN)), None)
        if mark is None:
            return text
        name = mark.id[1:]
        if name not in self.sections:
            raise fault(self.name, 0, f"没有名为 {name} 的部分", f"no section is named {name}")
        said = self.sections[name]
        grown = len(said) - (mark.end - mark.start)
        rest = [
            m if m.end <= mark.start else Mark(m.start + grown, m.end + grown, m.id) for m in marks if m is not mark
        ]
        return self._referred(Text(text[: mark.start] + said + text[mark.end :], rest))


@dataclass(frozen=True)
class _Head:
    """A heading before it is numbered."""

    level: int
    text: Text
    section: Section


def _closing(tokens: Sequence[Any], at: int) -> int:
    """Return the place of the token that closes the one at ``at``."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += tokens[place].nesting
        if depth <= 0:
            return place
    return len(tokens) - 1


def _pruned(made: list[Block | _Head]) -> list[Block | _Head]:
    """Leave out headings under which nothing stands, the innermost first."""
    kept: list[Block | _Head] = []
    for thing in reversed(made):
        if isinstance(thing, _Head) and not thing.section.titled:
            below = kept[-1] if kept else None
            if below is None or (isinstance(below, _Head) and below.level <= thing.level):
                continue
        kept.append(thing)
    return kept[::-1]


def _numbered(made: list[Block | _Head], lang: Lang) -> tuple[list[Block], dict[str, str]]:
    """Number the headings; return the blocks, and by section's name what a reference to it says."""
    counts = [0, 0, 0]
    names: dict[str, str] = {}
    out: list[Block] = []
    for thing in made:
        if not isinstance(thing, _Head):
            out.append(thing)
            continue
        number = ""
        if thing.section.numbered:
            counts[thing.level - 1] += 1
            counts[thing.level :] = [0] * (3 - thing.level)
            number = _number(counts, thing.level, lang)
        text = thing.text.strip()
        grown = len(number)
        marks = [Mark(m.start + grown, m.end + grown, m.id) for m in thing.text.marks]
        out.append(Heading(thing.level, Text(number + text, marks), thing.section.fresh, thing.section.titled))
        if thing.section.name:
            names[thing.section.name] = _spoken(counts, thing.level, text, lang) if number else f"“{text}”"
    return out, names


def _number(counts: Sequence[int], level: int, lang: Lang) -> str:
    """Return a heading's number: 一、（一）1. in Chinese, 1. 1.1 1.1.1 in English."""
    n = counts[level - 1]
    if lang == "en":
        return ".".join(str(c) for c in counts[:level] if c) + (". " if level == 1 else " ")
    return (f"{numeral(n)}、", f"（{numeral(n)}）", f"{n}. ")[level - 1]


def _spoken(counts: Sequence[int], level: int, text: str, lang: Lang) -> str:
    """Return how a section is referred to."""
    if lang == "en":
        return "section " + ".".join(str(c) for c in counts[:level] if c)
    return f"第{numeral(counts[0])}部分" if level == 1 else f"“{text}”"


def numeral(n: int) -> str:
    """Return a number below one hundred in Chinese numerals."""
    tens, ones = divmod(n, 10)
    if not tens:
        return NUMERALS[n - 1]
    return ("" if tens == 1 else NUMERALS[tens - 1]) + "十" + (NUMERALS[ones - 1] if ones else "")


def _cut(text: Text, n: int) -> Text:
    return Text(text[n:], [Mark(m.start - n, m.end - n, m.id) for m in text.marks])


__all__ = ["Row", "Rows", "Section", "Template", "TemplateError", "Value", "numeral"]

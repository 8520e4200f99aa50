"""Tables in web pages that a platform hands out under a workbook's name (网页表格): rows, columns, merged cells."""

from __future__ import annotations

from html.parser import HTMLParser

Merge = tuple[tuple[int, int], tuple[int, int]]


class Tables(HTMLParser):
    """Gathers the outermost tables of a page: rows of cell texts, and merged ranges from 0."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.made: list[tuple[list[list[str]], list[Merge]]] = []
        self.depth = 0
        self.cell: list[str] | None = None
        self.taken: set[tuple[int, int]] = set()
        self.span = (1, 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, row or cell."""
        if tag == "table":
            self.depth += 1
            if self.depth == 1:
                self.made.append(([], []))
                self.taken = set()
        elif self.depth and tag == "tr" and self.depth == 1:
            self._close()
            self.made[-1][0].append([])
        elif self.depth == 1 and tag in ("td", "th"):
            self._close()
            at = dict(attrs)
            self.span = (_size(at.get("rowspan")), _size(at.get("colspan")))
            self.cell = []
        elif self.cell is not None and tag in ("br", "p", "div"):
            self.cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """Close a table, row or cell."""
        if tag in ("td", "th", "tr", "table") and self.depth <= 1:
            self._close()
        if tag == "table" and self.depth:
            self.depth -= 1

    def handle_data(self, data: str) -> None:
        """Add text to the open cell."""
        if self.cell is not None:
            self.cell.append(data)

    def _close(self) -> None:
        """Put the open cell at its place."""
        if self.cell is None:
            return
        rows, merges = self.made[-1]
        if not rows:
            rows.append([])
        row, r = rows[-1], len(rows) - 1
        while (r, len(row)) in self.taken:
            row.append("")
        down, right = self.span
        start = len(row)
        row.extend([" ".join("".join(self.cell).split()), *[""] * (right - 1)])
        self.taken |= {(r + i, start + j) for i in range(1, down) for j in range(right)}
        if down * right > 1:
            merges.append(((r, start), (r + down - 1, start + right - 1)))
        self.cell = None


def _size(text: str | None) -> int:
    """Return a span, one where it is none or out of reason."""
    return int(text) if text and text.strip().isdigit() and 0 < int(text) <= 1000 else 1


def tables_of(text: str) -> list[tuple[list[list[str]], list[Merge]]]:
    """Return the tables of a page, each with its rows of one width and its merged ranges."""
    parser = Tables()
    parser.feed(text)
    parser.close()
    out = []
    for rows, merges in parser.made:
        width = max((len(row) for row in rows), default=0)
        if width:
            out.append(([row + [""] * (width - len(row)) for row in rows], merges))
    return out

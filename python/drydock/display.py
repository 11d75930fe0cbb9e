"""How results show themselves: plain text in a terminal, HTML in a notebook, both from the same value.

Every text that comes from a program, a file name or the kernel is escaped before it becomes HTML.
Source: "Rich display" of IPython's documentation; colours by Okabe and Ito, distinguishable with any colour vision.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Generic, TypeVar, overload

__all__ = ["COLOURS", "Drawing", "Listing", "Rich", "html_table", "size_words", "text_table"]

COLOURS = {"blue": "#0072B2", "orange": "#E69F00", "green": "#009E73", "red": "#D55E00", "sky": "#56B4E9", "pink": "#CC79A7",
           "yellow": "#F0E442", "ink": "#1b1b1b", "grey": "#6b6b6b", "line": "#c8c8c8", "paper": "#ffffff"}

T = TypeVar("T")


class Rich:
    """A value with a text and an HTML form. Subclasses give to_text(), and to_html() where a table or picture says more."""

    def to_text(self) -> str:
        raise NotImplementedError

    def to_html(self) -> str:
        return preformatted(self.to_text())

    def to_dict(self) -> dict[str, Any]:
        """The same as plain dictionaries, lists, numbers and strings; for pandas, JSON and your own code."""
        value = plain(self)
        assert isinstance(value, dict)
        return value

    def summary(self) -> str:
        """One line: the first of the text, where a subclass says nothing shorter."""
        return next(iter(self.to_text().strip().splitlines()), "")

    def __str__(self) -> str:
        return clean(self.to_text(), keep="\n\t")

    # IPython takes a __repr__ of a subclass for its text: they define summary() instead.
    def __repr__(self) -> str:
        words = f"<{type(self).__name__}: {clean(self.summary())}"
        return (words if len(words) < 80 else words[:78] + "…") + ">"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("…" if cycle else str(self).rstrip("\n"))

    def _repr_html_(self) -> str:
        return self.to_html()


class Listing(Rich, Sequence[T], Generic[T]):
    """Several results of one kind: a sequence that prints as a table.

    >>> import drydock
    >>> len(drydock.namespaces.kinds())
    8
    """

    def __init__(self, items: Iterable[T], columns: Mapping[str, str]) -> None:
        self._items = tuple(items)
        self._columns = dict(columns)  # heading -> attribute

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def _rows(self) -> list[list[str]]:
        return [[str(getattr(item, name)) for name in self._columns.values()] for item in self._items]

    def to_text(self) -> str:
        return text_table(list(self._columns), self._rows())

    def to_html(self) -> str:
        return html_table(list(self._columns), self._rows())

    def to_dict(self) -> dict[str, Any]:
        return {"items": [plain(item) for item in self._items]}

    def summary(self) -> str:
        return f"{len(self)} of them"


class Drawing(Rich):
    """A picture as SVG, with a text that says the same."""

    def __init__(self, svg: str, text: str) -> None:
        self.svg, self._text = svg, text

    def to_text(self) -> str:
        return self._text

    def to_html(self) -> str:
        return self.svg

    def to_dict(self) -> dict[str, Any]:
        return {"svg": self.svg, "text": self._text}


def plain(value: Any) -> Any:
    """Dataclasses become dictionaries; private fields, which hold handles of the bindings, are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if not field.name.startswith("_")}
    if isinstance(value, Rich):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their longest cell.

    >>> print(text_table(["A", "B"], [["one", "2"]]), end="")
    A    B
    one  2
    """
    lines = [list(headings), *[[clean(cell) for cell in row] for row in rows]]
    widths = [max(len(line[at]) for line in lines) for at in range(len(headings))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines) + "\n"


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], marks: Sequence[str | None] | None = None) -> str:
    """`marks`: a background colour for each row, or None."""
    head = "".join(f'<th style="text-align:left">{escape(name)}</th>' for name in headings)
    body = []
    for number, row in enumerate(rows):
        colour = marks[number] if marks else None
        style = f' style="background:{colour}22"' if colour else ""
        cells = "".join(f'<td style="text-align:left;white-space:pre-wrap;vertical-align:top">{escape(clean(cell))}</td>' for cell in row)
        body.append(f"<tr{style}>{cells}</tr>")
    return f'<table style="font-size:90%"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def preformatted(text: str) -> str:
    shown = escape(clean(text, keep="\n"))
    return f'<pre style="line-height:1.3">{shown}</pre>' if text else ""


def clean(text: str, keep: str = "") -> str:
    """Control characters as '?': a file name may hold any, and a terminal would obey them."""
    return "".join(c if c in keep or (c.isprintable() or c == " ") else "?" for c in text)


def size_words(count: float | None) -> str:
    """Bytes as people say them: powers of 1024.

    >>> size_words(64 << 20)
    '64 MiB'
    """
    if count is None:
        return "-"
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024 or unit == "TiB":
            return f"{count:.0f} {unit}" if unit == "bytes" or count == int(count) else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")

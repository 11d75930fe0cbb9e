"""Plots for notebooks: one style, colours that everybody can tell apart, a caption that says what is seen. Needs matplotlib.

Source: the guides of matplotlib; the palette of Okabe and Ito.
"""
from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from .display import COLOURS

__all__ = ["figure", "grid"]

CYCLE = ("blue", "red", "green", "orange", "pink", "sky")


def figure(caption: str, *, title: str = "", x: str = "", y: str = "", width: float = 7.0, height: float = 3.2) -> Any:
    """A matplotlib axes with labels (`x`, `y`), and the caption below it. `width`, `height`: inches.

    Errors: ImportError without matplotlib; ValueError without labels. Source: the guide "Creating figures" of matplotlib.

    >>> axes = figure("Nothing is drawn yet.", x="seconds", y="MiB")
    >>> axes.get_xlabel()
    'seconds'
    """
    if not (caption and x and y):
        raise ValueError("caption, x, y: a plot says what is seen and names both axes")
    import matplotlib.pyplot as pyplot
    made, axes = pyplot.subplots(figsize=(width, height), layout="constrained")
    axes.set_prop_cycle(color=[COLOURS[name] for name in CYCLE])
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.set_axisbelow(True)
    axes.grid(color=COLOURS["line"], linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    lines = [textwrap.fill(line, int(width * 17)) for line in caption.splitlines()]  # so many letters of this size are an inch
    made.supxlabel("\n".join(lines), fontsize=9, color=COLOURS["grey"])
    return axes


def grid(caption: str, rows: Sequence[str], columns: Sequence[str], words: Mapping[tuple[str, str], str], *, good: str = "yes", title: str = "",
         x: str = "", y: str = "", width: float = 7.0) -> Any:
    """A field for each (row, column) with its word in it: blue where the word is `good`, orange elsewhere. `width`: inches.

    Errors: KeyError for a field without a word; as figure(). Source: the guide "Annotated heatmap" of matplotlib.

    >>> axes = grid("One of two is seen.", ["there"], ["a", "b"], {("there", "a"): "yes", ("there", "b"): "no"}, x="who", y="what")
    >>> [text.get_text() for text in axes.texts]
    ['yes', 'no']
    """
    axes = figure(caption, title=title, x=x, y=y, width=width, height=1.6 + 0.34 * len(rows))
    for below, row in enumerate(rows):
        for across, column in enumerate(columns):
            word = words[row, column]
            shade = COLOURS["sky" if word == good else "orange"]
            axes.barh(below, 1, left=across - 0.5, height=1, color=shade, alpha=0.7, edgecolor=COLOURS["paper"], linewidth=2)
            axes.text(across, below, word, ha="center", va="center", fontsize=9, color=COLOURS["ink"])
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), columns, fontsize=9)
    axes.set_yticks(range(len(rows)), rows, fontsize=9)
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return axes

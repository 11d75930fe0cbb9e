"""Plots for notebooks: one style, colours that everybody can tell apart, a caption that says what is seen. Needs matplotlib.

Source: the guides of matplotlib; the palette of Okabe and Ito.
"""
from __future__ import annotations

from typing import Any

from .display import COLOURS

__all__ = ["figure"]

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
    axes.grid(color=COLOURS["line"], linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    made.supxlabel(caption, fontsize=9, color=COLOURS["grey"], wrap=True)
    return axes

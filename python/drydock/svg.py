"""The pictures, as SVG text: sequence of a plan, waterfall of a start, bars, lines, boxes. Numbers in, a string out.

Each picture has a title for screen readers, sizes itself to its content, and uses the colours of display.COLOURS.
Source: SVG 1.1; "Notes and Works" on colour by Okabe and Ito.
"""
from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .display import COLOURS, clean

FONT = "font-family='DejaVu Sans, Helvetica, Arial, sans-serif'"
LANES = {"monitor": "blue", "payload": "red", "joiner": "green", "proxy": "pink"}


def colour(name: str) -> str:
    return COLOURS[LANES.get(name, name)]


def text(x: float, y: float, words: str, *, size: int = 11, anchor: str = "start", fill: str = "ink", weight: str = "normal",
         hover: str = "") -> str:
    title = f"<title>{escape(clean(hover))}</title>" if hover else ""
    return (f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}' fill='{COLOURS[fill]}' font-weight='{weight}' "
            f"{FONT}>{title}{escape(clean(words))}</text>")


def box(x: float, y: float, width: float, height: float, *, fill: str, stroke: str = "", opacity: float = 1.0, hover: str = "") -> str:
    title = f"<title>{escape(clean(hover))}</title>" if hover else ""
    edge = f" stroke='{COLOURS[stroke]}'" if stroke else ""
    return (f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 0.5):.1f}' height='{height:.1f}' rx='2' fill='{colour(fill)}' "
            f"fill-opacity='{opacity}'{edge}>{title}</rect>")


def line(x1: float, y1: float, x2: float, y2: float, *, stroke: str = "line", dashed: bool = False, arrow: bool = False, width: float = 1) -> str:
    dash = " stroke-dasharray='3 3'" if dashed else ""
    head = " marker-end='url(#drydock-arrow)'" if arrow else ""
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour(stroke)}' stroke-width='{width}'{dash}{head}/>"


def picture(width: float, height: float, parts: Sequence[str], title: str) -> str:
    marker = (f"<defs><marker id='drydock-arrow' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
              f"<path d='M0,0 L8,4 L0,8 z' fill='{COLOURS['grey']}'/></marker></defs>")
    return (f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}' viewBox='0 0 {width:.0f} {height:.0f}' "
            f"role='img' style='max-width:100%;height:auto;background:{COLOURS['paper']}'><title>{escape(clean(title))}</title>{marker}"
            f"{''.join(parts)}</svg>")


def width_of(words: str, size: int = 11, bold: bool = False) -> float:
    """About how wide a text is, in pixels: DejaVu Sans, the widest of the fonts that FONT names."""
    wide = sum(8.0 if c.isupper() or c in "mw<>→…" else 3.9 if c in "ijl.,:;|'()[] " else 7.0 for c in words)
    return wide * size / 11 * (1.12 if bold else 1.0)


def fitted(words: str, width: float, size: int = 11, bold: bool = False) -> str:
    if width_of(words, size, bold) <= width:
        return words
    kept = len(words)
    while kept > 1 and width_of(words[:kept] + "…", size, bold) > width:
        kept -= 1
    return words[:kept] + "…"


def sequence(steps: Sequence[tuple[str, str, str, str]], edges: Sequence[tuple[int, int]], title: str) -> str:
    """A column for each lane, a row for each step: (lane, name, call, why). `edges` point from the step that is waited for."""
    lanes = [lane for lane in LANES if any(step[0] == lane for step in steps)]
    column, row, top = 470.0, 20.0, 46.0
    height = top + row * len(steps) + 16
    width = 40 + column * len(lanes)
    at = {lane: 34 + column * number for number, lane in enumerate(lanes)}
    parts = []
    for lane in lanes:
        parts.append(line(at[lane], 30, at[lane], height - 8, stroke=lane, width=2))
        parts.append(text(at[lane] - 6, 20, lane, size=13, weight="bold"))
    where = [top + row * number for number in range(len(steps))]
    for before, later in edges:
        if steps[before][0] != steps[later][0]:
            x1, x2 = at[steps[before][0]], at[steps[later][0]]
            begin, end = (x1 + column - 14, x2 - 7) if x2 > x1 else (x1 - 7, x2 + 7)  # past the words of its own row
            parts.append(line(begin, where[before], end, where[later], stroke="grey", dashed=True, arrow=True))
    for (lane, name, call, why), y in zip(steps, where):
        parts.append(f"<circle cx='{at[lane]:.1f}' cy='{y:.1f}' r='4.5' fill='{colour(lane)}'><title>{escape(clean(why))}</title></circle>")
        named = fitted(name, 190, bold=True)
        parts.append(text(at[lane] + 10, y + 4, named, weight="bold", hover=f"{name}: {why}"))
        begin = at[lane] + 18 + width_of(named, bold=True)
        parts.append(text(begin, y + 4, fitted(call, at[lane] + column - 16 - begin), fill="grey", hover=call))
    return picture(width, height, parts, title)


def waterfall(rows: Sequence[tuple[str, str, float, float, str]], marks: Sequence[tuple[float, str]], title: str) -> str:
    """Bars over time: (lane, name, begin, duration, hover), all in microseconds; `marks` are moments with a name."""
    left, width, row, top = 210.0, 620.0, 15.0, 56.0
    end = max([begin + took for _, _, begin, took, _ in rows] + [when for when, _ in marks] + [1.0])
    scale = width / end
    height = top + row * len(rows) + 40
    parts = [text(10, 18, title, size=13, weight="bold")]
    used = [lane for lane in LANES if any(entry[0] == lane for entry in rows)]
    for number, lane in enumerate(used):
        parts += [box(left + 90 * number, 28, 10, 10, fill=lane), text(left + 90 * number + 15, 37, lane)]
    for tick in ticks(end):
        x = left + tick * scale
        parts += [line(x, top - 8, x, height - 34), text(x, height - 20, f"{tick:g}", anchor="middle", fill="grey")]
    parts.append(text(left + width / 2, height - 5, "microseconds since the monitor was spawned", anchor="middle"))
    for number, (lane, name, begin, took, hover) in enumerate(rows):
        y = top + row * number
        parts += [text(left - 8, y + 9, fitted(name, left - 14, 10), size=10, anchor="end", hover=hover),
                  box(left + begin * scale, y + 1, max(took * scale, 1.5), row - 4, fill=lane, hover=hover)]
    for when, name in marks:
        x = left + when * scale
        parts += [line(x, top - 8, x, height - 34, stroke="ink", dashed=True),
                  text(x + (4 if when < 0.7 * end else -4), height - 37, name, size=10, anchor="start" if when < 0.7 * end else "end")]
    return picture(left + width + 40, height, parts, title)


def ticks(end: float, most: int = 8) -> list[float]:
    """Round numbers from 0 to `end`.

    >>> ticks(9.5)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    step = 10.0 ** len(str(int(end / most))) / 10 if end >= most else 0.001
    while end / step > most:
        for factor in (2, 2.5, 2):
            step *= factor
            if end / step <= most:
                break
    return [number * step for number in range(int(end / step) + 1)]


def gauges(rows: Sequence[tuple[str, float | None, float | None, str]], title: str) -> str:
    """A bar for each of (name, value, limit, words); without a limit there is only the number."""
    left, width, row = 120.0, 260.0, 26.0
    parts = []
    for number, (name, value, limit, words) in enumerate(rows):
        y = 8 + row * number
        parts.append(text(left - 8, y + 13, name, anchor="end", weight="bold"))
        if value is not None and limit:
            part = min(value / limit, 1.0)
            parts += [box(left, y, width, 17, fill="paper", stroke="line"), box(left, y, width * part, 17, fill="red" if part > 0.9 else "blue")]
            parts.append(text(left + width + 10, y + 13, words))
        else:
            parts.append(text(left, y + 13, words))
    return picture(left + width + 220, 16 + row * len(rows), parts, title)


def lines(series: Sequence[tuple[str, Sequence[tuple[float, float]]]], x_label: str, y_label: str, title: str) -> str:
    """Curves over a common axis; each has a name and points."""
    left, top, width, height = 80.0, 34.0, 520.0, 190.0
    points = [point for _, curve in series for point in curve]
    most_x = max([x for x, _ in points] + [1e-9])
    most_y = max([y for _, y in points] + [1e-9]) * 1.05
    parts = [text(left, 18, title, size=13, weight="bold")]
    for tick in ticks(most_y, 5):
        y = top + height - tick / most_y * height
        parts += [line(left, y, left + width, y), text(left - 6, y + 4, f"{tick:g}", anchor="end", fill="grey")]
    for tick in ticks(most_x):
        x = left + tick / most_x * width
        parts += [line(x, top + height, x, top + height + 4, stroke="grey"), text(x, top + height + 17, f"{tick:g}", anchor="middle", fill="grey")]
    names = ("blue", "red", "green", "orange", "pink", "sky")
    for number, (name, curve) in enumerate(series):
        path = " ".join(f"{left + x / most_x * width:.1f},{top + height - y / most_y * height:.1f}" for x, y in curve)
        shade = names[number % len(names)]
        parts.append(f"<polyline points='{path}' fill='none' stroke='{COLOURS[shade]}' stroke-width='2'/>")
        parts += [line(left + width + 14, top + 12 + 18 * number, left + width + 34, top + 12 + 18 * number, stroke=shade, width=3),
                  text(left + width + 40, top + 16 + 18 * number, name)]
    parts.append(text(left + width / 2, top + height + 34, x_label, anchor="middle"))
    parts.append(f"<g transform='translate(16,{top + height / 2:.0f}) rotate(-90)'>{text(0, 0, y_label, anchor='middle')}</g>")
    return picture(left + width + 160, top + height + 44, parts, title)


def stack(rows: Sequence[tuple[str, float, str]], title: str) -> str:
    """Layers on top of each other, the last of (name, bytes, words) lowest; the bar's length is the share of the largest."""
    left, width, row = 16.0, 300.0, 26.0
    most = max([size for _, size, _ in rows] + [1.0])
    parts = []
    for number, (name, size, words) in enumerate(rows):
        y = 6 + row * number
        parts += [box(left, y, width, row - 3, fill="paper", stroke="line"),
                  box(left, y, width * size / most, row - 3, fill="orange" if number == 0 else "sky", opacity=0.75),
                  text(left + 8, y + 16, fitted(name, width - 16)), text(left + width + 12, y + 16, words, fill="grey")]
    widest = max([width_of(words) for _, _, words in rows] + [0.0])
    return picture(left + width + 30 + widest, 12 + row * len(rows), parts, title)

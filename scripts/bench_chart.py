"""The charts of scripts/bench, written as SVG: with --peers the speed of each relative to one, per work;
with --scale the time of each operation over the size of what it works on."""

import math
from xml.sax.saxutils import escape

from bench_common import rounded

COLOURS = ("#1f6fb4", "#6b7280", "#d9822b", "#3a9d5d", "#b83b5e", "#7a5cc2", "#4fb3bf", "#8c6d46")
LABEL_WIDTH = 290
PLOT_WIDTH = 560
VALUE_WIDTH = 110
BAR = 9
GAP = 12  # between works
TOP = 74
BOTTOM = 34


def write(path, titles, base, rows):
    """rows: (name, a rate or None for each title, unit). The axis is logarithmic, 1 is as fast as base."""
    rows = [(name, values, unit) for name, values, unit in rows if values[base]]
    ratios = [value / values[base] for _, values, _ in rows for value in values if value]
    low = math.floor(math.log10(min(ratios, default=1)))
    high = max(low + 1, math.ceil(math.log10(max(ratios, default=1))))
    height = TOP + len(rows) * (len(titles) * BAR + GAP) + BOTTOM
    width = LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            text(12, 22, f"Speed relative to {titles[base]} (longer is faster)", 'font-size="15"'),
            *legend(titles),
            *grid(low, high, height),
            *bars(rows, base, low, high),
            "</svg>"]) + "\n")


def x_of(ratio, low, high):
    return LABEL_WIDTH + PLOT_WIDTH * (math.log10(ratio) - low) / (high - low)


def text(x, y, content, attributes=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="#222222" {attributes}>{escape(content)}</text>'


def legend(titles):
    x = 12
    for index, title in enumerate(titles):
        yield f'<rect x="{x}" y="36" width="10" height="10" fill="{colour(index)}"/>'
        yield text(x + 14, 45, title)
        x += 34 + 7 * len(title)


def colour(index):
    return COLOURS[index % len(COLOURS)]


def grid(low, high, height):
    for power in range(low, high + 1):
        for step in (1, 2, 5):
            ratio = step * 10 ** power
            if ratio > 10 ** high:
                break
            x = x_of(ratio, low, high)
            stroke = "#444444" if ratio == 1 else "#dddddd"
            yield (f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - BOTTOM}" '
                   f'stroke="{stroke}"/>')
            yield text(x, height - BOTTOM + 16, f"{ratio:g}", 'text-anchor="middle"')


def bars(rows, base, low, high):
    y = TOP
    for name, values, unit in rows:
        middle = y + len(values) * BAR / 2 + 4
        yield text(LABEL_WIDTH - 10, middle, name, 'text-anchor="end"')
        for index, value in enumerate(values):
            if value:
                end = x_of(value / values[base], low, high)
                yield (f'<rect x="{LABEL_WIDTH}" y="{y}" width="{end - LABEL_WIDTH:.1f}" '
                       f'height="{BAR - 1}" fill="{colour(index)}"/>')
                yield text(end + 3, y + BAR - 2, f"{rounded(value)} {unit}", 'font-size="8"')
            y += BAR
        y += GAP


# The chart of --scale.

PANEL_WIDTH = 480
PANEL_HEIGHT = 320
MARGIN = 80


def write_growth(path, panels):
    """panels: (label of the x axis, [(name, [(x, microseconds)])]). Both axes are logarithmic."""
    entries = max((len(series) for _, series in panels), default=0)
    width = len(panels) * (PANEL_WIDTH + MARGIN) + 20
    height = TOP + PANEL_HEIGHT + 40 + 16 * entries + 12
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            text(12, 22, "Median time of one operation in microseconds", 'font-size="15"'),
            *(line for index, (label, series) in enumerate(panels)
              for line in panel(MARGIN + index * (PANEL_WIDTH + MARGIN), label, series)),
            "</svg>"]) + "\n")


def powers(values):
    """The powers of ten around all of them, at least two."""
    low = math.floor(math.log10(min(values)))
    return low, max(low + 1, math.ceil(math.log10(max(values))))


def panel(left, label, series):
    points = [point for _, line in series for point in line]
    low_x, high_x = powers([x for x, _ in points])
    low_y, high_y = powers([y for _, y in points])
    bottom = TOP + PANEL_HEIGHT

    def place(x, y):
        return (left + (PANEL_WIDTH - 20) * (math.log10(x) - low_x) / (high_x - low_x),
                bottom - PANEL_HEIGHT * (math.log10(y) - low_y) / (high_y - low_y))

    for power in range(low_x, high_x + 1):
        x, _ = place(10 ** power, 10 ** low_y)
        yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>'
        yield text(x, bottom + 14, f"{10 ** power:,}", 'text-anchor="middle"')
    for power in range(low_y, high_y + 1):
        _, y = place(10 ** low_x, 10 ** power)
        yield (f'<line x1="{left}" y1="{y:.1f}" x2="{left + PANEL_WIDTH - 20}" y2="{y:.1f}" '
               f'stroke="#dddddd"/>')
        yield text(left - 4, y + 4, f"{10 ** power:,}", 'text-anchor="end"')
    yield text(left + (PANEL_WIDTH - 20) / 2, TOP - 12, label, 'text-anchor="middle" font-size="13"')
    for index, (name, line) in enumerate(series):
        places = [place(x, y) for x, y in line]
        yield (f'<polyline fill="none" stroke="{colour(index)}" stroke-width="1.5"{dashes(index)} '
               f'points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>')
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour(index)}"/>'
        key = bottom + 36 + 16 * index
        yield (f'<line x1="{left}" y1="{key - 4}" x2="{left + 24}" y2="{key - 4}" '
               f'stroke="{colour(index)}" stroke-width="2"{dashes(index)}/>')
        yield text(left + 30, key, name)


def dashes(index):
    """Colours come again after the last one, dashed."""
    return ' stroke-dasharray="5 3"' if index >= len(COLOURS) else ""

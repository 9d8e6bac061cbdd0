"""The chart of scripts/bench --peers, written as SVG: the speed of each relative to one, per work."""

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

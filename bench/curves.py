"""Curves of what callgate_growth_bench measured: both axes logarithmic, one line an evaluator."""

import html
import math

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 620, 300, 70, 34, 34, 120
COLOURS = {"reference": "#8a6d3b", "decoded": "#3a6ea5", "specialised": "#2e8b57", "jit": "#b0413e",
           "check": "#7a5aa6", "each": "#8a6d3b"}
UNITS = {"time": ((1, "s"), (1e-3, "ms"), (1e-6, "\u00b5s"), (1e-9, "ns")),
         "memory": ((1e6, "MB"), (1e3, "kB"), (1, "B"))}


def words(value, what):
    for size, unit in UNITS[what]:
        if value >= size * 0.9999:
            return f"{value / size:.3g} {unit}"
    return f"{value / UNITS[what][-1][0]:.2g} {UNITS[what][-1][1]}"


def series(values, group, kind):
    """{evaluator: [(length or depth, value)]} of one chart"""
    out = {}
    for key, value in values.items():
        if len(key) == 4 and key[0] == group and key[2] == kind and value > 0:
            out.setdefault(key[1], []).append((int(key[3]), value))
    return {name: sorted(points) for name, points in out.items()}


def chart(lines, title, what, axis):
    """The inside of an SVG of WIDTH by HEIGHT."""
    xs = sorted({x for points in lines.values() for x, _ in points})
    ys = [y for points in lines.values() for _, y in points]
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    high = max(high, low + 1)
    right = math.log(xs[-1] / xs[0]) or 1

    def at(x, y):
        return (LEFT + (WIDTH - LEFT - RIGHT) * math.log(x / xs[0]) / right,
                HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (math.log10(y) - low) / (high - low))

    out = [f'<text x="{LEFT}" y="18" font-weight="600">{html.escape(title)}</text>']
    for power in range(low, high + 1):
        _, y = at(xs[0], 10.0 ** power)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#888" '
                   f'stroke-opacity=".3"/><text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
                   f'{words(10.0 ** power, what)}</text>')
    for x in xs:
        out.append(f'<text x="{at(x, 10.0 ** low)[0]:.1f}" y="{HEIGHT - BOTTOM + 16}" '
                   f'text-anchor="middle">{x}</text>')
    out.append(f'<text x="{WIDTH - RIGHT + 24}" y="{HEIGHT - BOTTOM + 16}">{axis}</text>')
    # Names beside the ends of their lines, apart from each other.
    ends = sorted((at(*points[-1])[1], name) for name, points in lines.items())
    places, above = {}, 0.0
    for y, name in ends:
        above = places[name] = max(y + 4, above + 14)
    for name, points in lines.items():
        colour = COLOURS.get(name, "#555")
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" style="fill:{colour}"/>'
                for x, y in (at(*point) for point in points)]
        out.append(f'<text x="{WIDTH - RIGHT + 8}" y="{places[name]:.1f}" style="fill:{colour}">'
                   f'{html.escape(name)}</text>')
    return "".join(out)


def all_charts(rows, memory):
    kinds = (("numbers", "compares of the number", "instructions"),
             ("arguments", "tests of arguments", "instructions"), ("stack", "stacks", "filters"))
    for kind, of, axis in kinds:
        for values, group, title, what in ((rows, "growth_prepare", "Preparing", "time"),
                                           (memory, "growth_prepare", "Memory once prepared", "memory"),
                                           (rows, "growth_run", "One verdict", "time")):
            lines = series(values, group, kind)
            if lines:
                name = f"{title}: {of}"
                yield name, chart(lines, name, what, axis)


def charts(rows, memory):
    """(title, SVG) of each chart that there are measurements for"""
    for title, inside in all_charts(rows, memory):
        yield title, f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{inside}</svg>'


def sheet(rows, memory):
    """All in one SVG file, or None"""
    parts = [inside for _, inside in all_charts(rows, memory)]
    if not parts:
        return None
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT * len(parts)}" '
           'font-family="system-ui, sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>']
    out += [f'<g transform="translate(0,{HEIGHT * i})">{inside}</g>' for i, inside in enumerate(parts)]
    return "".join(out) + "</svg>\n"

#!/usr/bin/env python3
"""Tables, or a page with bar charts, of what the benchmarks measured.

  build/release/bench/callgate_engine_bench --benchmark_repetitions=7 \\
    --benchmark_enable_random_interleaving=true --benchmark_out=build/bench.json
  bench/report.py build/bench.json                     # tables
  bench/report.py build/bench.json --html build/bench.html

Several files are taken as one: those of engine_bench, start_bench, live_bench. What growth_bench wrote is drawn as
curves, on the page or alone: bench/report.py build/growth.json --curves bench/growth.svg
"""

import argparse
import collections
import html
import json
import os
import statistics
import sys

import curves


def read(paths):
    """What the machine was, {(group, evaluator, filter, mix): median seconds of one verdict or one
    preparation}, {(group, evaluator, filter, mix): label}, and the median bytes of those that count them"""
    rows = []
    context = {}
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                document = json.load(file)
            rows += document["benchmarks"]
            context = document.get("context", {})
        except (OSError, ValueError, KeyError, TypeError) as error:
            sys.exit(f"{path}: not what Google Benchmark writes with --benchmark_out: {error}")
    samples = collections.defaultdict(list)
    memory = collections.defaultdict(list)
    labels = {}
    for row in sorted(rows, key=lambda row: row.get("family_index", 0)):
        if row.get("run_type") == "aggregate" or row.get("error_occurred"):
            continue
        parts = [part for part in row["name"].split("/")
                 if part != "real_time" and not part.startswith(("repeats:", "threads:", "iterations:"))]
        if "ns_per_verdict" in row:
            seconds = row["ns_per_verdict"] * 1e-9
        elif "items_per_second" in row:
            seconds = 1 / row["items_per_second"]
        elif "real_time" in row["name"].split("/"):
            seconds = row["real_time"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}[row["time_unit"]]
        else:
            seconds = row["cpu_time"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}[row["time_unit"]]
        samples[tuple(parts)].append(seconds)
        labels[tuple(parts)] = row.get("label", "")
        if "bytes" in row:
            memory[tuple(parts)].append(row["bytes"])
    medians = {key: statistics.median(all) for key, all in samples.items()}
    return context, medians, labels, {key: statistics.median(all) for key, all in memory.items()}


def words(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def in_order(values):
    return list(dict.fromkeys(values))


def groups(rows):
    """(title, evaluators down, columns across, {(evaluator, column): seconds})"""
    titles = {"single": "One verdict, one call at a time", "batch": "One verdict, many at once",
              "threads": "One verdict, many at once, two threads",
              "cache": "One verdict, two threads, inputs in the nearest cache",
              "prepare": "Preparing a filter",
              "cold": "A checked program to so many verdicts, preparing included", "check": "Checking a program",
              "stack": "One verdict of a stack, by filters in it",
              "body": "One verdict, beside the kernel's own JIT (the difference of two calls)",
              "start": "A process of the command, and one that does nothing",
              "read": "Reading a filter", "suite": "7808 cases of 61 filters, from bytes to verdicts"}
    for group, title in titles.items():
        cells = {}
        for key, seconds in rows.items():
            if key[0] != group:
                continue
            evaluator, column = ((group, key[1]) if group in ("check", "start")
                                 else (key[1], " ".join(key[2:])))
            cells[evaluator, column] = seconds
        if cells:
            yield (title, in_order(e for e, _ in cells), in_order(c for _, c in cells), cells)


def regrets(rows, labels):
    """How many times as long as the best engine the default takes, for each filter and number of
    verdicts; for ten million of them by what preparing and one verdict cost."""
    out = {}
    for _, evaluator, name, verdicts in [key for key in rows if key[:2] == ("cold", "default")]:
        others = [seconds for key, seconds in rows.items()
                  if key[0] == "cold" and key[2:] == (name, verdicts)]
        out[name, verdicts] = rows["cold", evaluator, name, verdicts] / min(others)
    for key in [key for key in rows if key[0] == "choice"]:
        totals = {engine: rows["prepare", engine, key[2]] + int(key[3]) * seconds
                  for (group, engine, name, mix), seconds in
                  ((row, value) for row, value in rows.items() if len(row) == 4)
                  if (group, name, mix) == ("single", key[2], "traced")
                  and ("prepare", engine, name) in rows}
        if labels[key] in totals:
            out[key[2], key[3]] = totals[labels[key]] / min(totals.values())
    return out


def bodies(rows, engine, name):
    """An engine's time against the kernel's JIT; of both what is more than for a trivial filter"""
    keys = [("body", engine, name), ("body", engine, "trivial"), ("body", "kernel", name)]
    if not all(key in rows for key in keys):
        return None
    ours, trivial, kernels = (rows[key] for key in keys)
    return max(0.0, ours - trivial) / kernels if kernels > 0 else None


def targets(rows, labels):
    """(what, "at least" or "at most", limit, seen or None), as far as one run can tell."""
    def ratio(slow, fast):
        return rows[slow] / rows[fast] if slow in rows and fast in rows else None

    def times_libpcap(engine, name, mix):
        return ratio(("single", "libpcap", name, mix), ("single", engine, name, mix))

    def worst(values):
        known = [value for value in values if value is not None]
        return min(known) if known else None

    filters = in_order(key[2] for key in rows if key[0] == "single")
    each = [(name, mix) for name in filters for mix in ("traced", "uniform")]
    known_numbers = [(name, mix) for name, mix in each if name != "max4096_alu"]
    for what, least, seen in (
            ("specialised on linear, traced", 100, times_libpcap("specialised", "linear", "traced")),
            ("specialised on every filter but max4096_alu", 1,
             worst(times_libpcap("specialised", *place) for place in known_numbers)),
            ("decoded on every filter", 1.2, worst(times_libpcap("decoded", *place) for place in each)),
            ("decoded on linear, traced", 5, times_libpcap("decoded", "linear", "traced")),
            ("jit on max4096_alu", 8, times_libpcap("jit", "max4096_alu", "traced")),
            ("reference on every filter", 0.9,
             worst(times_libpcap("reference", *place) for place in each))):
        yield what + ": times as fast as libpcap", "at least", least, seen
    yield ("specialised on linear, traced: times as fast as gVisor's pkg/bpf", "at least", 100,
           ratio(("single", "gvisor", "linear", "traced"), ("single", "specialised", "linear", "traced")))
    yield ("specialised on linear: a batch, times as fast as one at a time", "at least", 1.5,
           ratio(("single", "specialised", "linear", "traced"),
                 ("batch", "specialised", "linear", "traced")))
    over = regrets(rows, labels)
    at = max(over, key=over.get, default=None)
    yield (f"the default choice against the best engine, cold, at worst"
           f"{f' ({at[0]}, {at[1]} verdicts)' if at else ''}: times as long", "at most", 1.2,
           over.get(at))
    seconds = rows.get(("cache", "specialised", "demo5"))
    yield ("specialised on demo5, two threads, in the cache: billions of verdicts a second", "at least",
           2, 1e-9 / seconds if seconds else None)
    for name, filters, most in (("jit", ("demo5", "linear", "tree", "jeq300", "args", "max4096_jeq", "max4096_alu"), 1.1),
                                ("specialised", ("linear",), 1 / 8)):
        known = [(bodies(rows, name, each), each) for each in filters]
        known = [pair for pair in known if pair[0] is not None]
        seen, at = max(known, default=(None, "every filter"))
        yield (f"{name} against the kernel's own JIT{' at worst' if len(filters) > 1 else ''} ({at}), "
               "each less a trivial filter: times as long", "at most", most, seen)
    for what, key, most in (("7808 cases of a suite, ms", ("suite", "default", "7808"), 100e3),):
        yield what, "at most", most / 1e3, rows[key] * 1e3 if key in rows else None
    for what, key, most in (("specialised: preparing linear, µs", ("prepare", "specialised", "linear"), 100),
                            ("jit: preparing linear, µs", ("prepare", "jit", "linear"), 100),
                            ("checking 4096 instructions, µs", ("check", "max4096_jeq"), 50)):
        yield what, "at most", most, rows[key] * 1e6 if key in rows else None


def seen_words(relation, limit, seen):
    if seen is None:
        return "not measured"
    met = seen >= limit if relation == "at least" else seen <= limit
    return f"{seen:.3g}" + ("" if met else " (missed)")


def print_tables(rows, labels):
    for title, evaluators, columns, cells in groups(rows):
        print(f"\n{title}")
        first = max(len(column) for column in columns)
        print("  " + " " * first + "".join(f"{name:>14}" for name in evaluators))
        for column in columns:
            line = "".join(f"{words(cells[name, column]) if (name, column) in cells else '-':>14}"
                           for name in evaluators)
            print(f"  {column:<{first}}{line}")
    print("\nTargets")
    for what, relation, limit, seen in targets(rows, labels):
        print(f"  {what}: {relation} {limit:g}; {seen_words(relation, limit, seen)}")


STYLE = """
:root { color-scheme: light dark; --bar: #3a6ea5; --text: #1b1f24; --soft: #667; --page: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --bar: #7fb0e6; --text: #e6e8eb; --soft: #9aa4b2; --page: #14171b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page);
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; } h3 { margin: 1.2rem 0 .2rem; font-weight: 600; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--text); font-size: 13px; }
svg rect { fill: var(--bar); } table { border-collapse: collapse; }
td, th { padding: .15rem .8rem .15rem 0; text-align: left; } p, .soft { color: var(--soft); }
"""


def chart(pairs):
    """Bars, the longest as wide as there is room for."""
    label, room, height = 110, 560, 22
    longest = max(seconds for _, seconds in pairs)
    out = [f'<svg viewBox="0 0 {label + room + 110} {height * len(pairs)}" role="img">']
    for i, (name, seconds) in enumerate(pairs):
        y = i * height
        out.append(f'<text x="0" y="{y + 15}">{html.escape(name)}</text>'
                   f'<rect x="{label}" y="{y + 4}" width="{max(1, room * seconds / longest):.1f}" '
                   f'height="{height - 8}" rx="2"/>'
                   f'<text x="{label + room * seconds / longest + 8:.1f}" y="{y + 15}">'
                   f'{words(seconds)}</text>')
    return "".join(out) + "</svg>"


def page(context, rows, labels, memory):
    out = ["<!doctype html><html lang=en><meta charset=utf-8>"
           "<meta name=viewport content='width=device-width'><title>Callgate: speed</title>",
           f"<style>{STYLE}</style><h1>Callgate: speed</h1>",
           f"<p>{html.escape(str(context.get('date', '')))}, {context.get('num_cpus', '?')} cores at "
           f"{context.get('mhz_per_cpu', '?')} MHz. Medians; shorter is better. Only ratios within "
           "one run mean anything.</p><h2>Targets</h2><table><tr><th>what<th>wanted<th>seen"]
    for what, relation, limit, seen in targets(rows, labels):
        out.append(f"<tr><td>{html.escape(what)}<td>{relation} {limit:g}"
                   f"<td>{seen_words(relation, limit, seen)}")
    out.append("</table>")
    for title, evaluators, columns, cells in groups(rows):
        out.append(f"<h2>{html.escape(title)}</h2>")
        for column in columns:
            pairs = [(name, cells[name, column]) for name in evaluators if (name, column) in cells]
            out.append(f"<h3>{html.escape(column)}</h3>{chart(pairs)}")
    for title, drawn in curves.charts(rows, memory):
        out.append(f"<h2>{html.escape(title)}</h2>{drawn}")
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="+", help="what --benchmark_out wrote")
    parser.add_argument("--html", metavar="FILE", help="write a page, in place of the tables")
    parser.add_argument("--curves", metavar="FILE", help="write what growth_bench measured as one SVG")
    arguments = parser.parse_args()
    context, rows, labels, memory = read(arguments.file)
    if not rows:
        sys.exit(f"{' '.join(arguments.file)}: holds no measurement")
    if arguments.html:
        write(arguments.html, page(context, rows, labels, memory))
    if arguments.curves:
        drawn = curves.sheet(rows, memory)
        if drawn is None:
            sys.exit(f"{' '.join(arguments.file)}: holds nothing of growth_bench")
        write(arguments.curves, drawn)
    if not arguments.html and not arguments.curves:
        print_tables(rows, labels)


def write(path, text):
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".part", path)


if __name__ == "__main__":
    main()

// What is in the page, in figures.
const kTones = ["allow", "log", "errno", "ask", "kill", "other", "depends"];
const kToneWords = {
  allow: "allowed", log: "logged, allowed", errno: "an errno", ask: "trap, tracer or listener",
  kill: "killed", other: "other", depends: "depends on arguments",
};

// name -> tone, of every call that an ABI has a name for.
function tonesOfCalls(stack, arch) {
  const rows = stack.table.filter((row) => row.arch === arch.name);
  const tones = new Map();
  for (const [nr, name] of arch.names) {
    const mine = rows.filter((row) => inRanges(row.numbers, nr));
    if (mine.length > 0) tones.set(name, new Set(mine.map((row) => row.action)).size > 1 ? "depends" : tone(mine[0].action));
  }
  return tones;
}

function inRanges(numbers, nr) {
  let low = 0;
  let high = numbers.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[2 * middle + 1] < nr) low = middle + 1;
    else high = middle;
  }
  return 2 * low < numbers.length && numbers[2 * low] <= nr;
}

// The action that most numbers of an ABI get.
function defaultOf(stack, archName) {
  const row = stack.table.filter((each) => each.arch === archName && each.rest);
  if (row.length === 0) return "not known";
  return row.length === 1 ? row[0].action : "depends on arguments";
}

function showShares(stack, arch, to) {
  const counts = new Map();
  for (const each of tonesOfCalls(stack, arch).values()) counts.set(each, (counts.get(each) ?? 0) + 1);
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  if (total === 0) return;
  const bar = make("div", { class: "share", "aria-hidden": "true" });
  const key = make("ul", { class: "key" });
  for (const each of kTones) {
    const count = counts.get(each) ?? 0;
    if (count === 0) continue;
    const part = make("span", { class: `part ${each}` });
    part.style.flexGrow = count;
    bar.append(part);
    key.append(make("li", {}, make("span", { class: `dot ${each}`, "aria-hidden": "true" }),
      make("b", {}, String(count)), ` ${kToneWords[each]}`));
  }
  to.append(make("h3", {}, `The ${total} named syscalls of ${arch.name}`), bar, key);
}

function showFilters(stack, title, to) {
  const body = make("tbody");
  stack.filters.forEach((filter, i) => {
    const flags = [filter.log ? "logs" : "", filter.listener ? "listener" : ""].filter(Boolean).join(", ");
    body.append(make("tr", {}, cell("Filter", String(i), "number"), cell("Name", filter.name, "name"),
      cell("Instructions", filter.targets.length.toLocaleString("en"), "number"),
      cell("Counted", filter.counted.toLocaleString("en"), "number"), cell("Flags", flags || "none")));
  });
  const head = ["Filter", "Name", "Instructions", "Counted by the kernel", "Flags"];
  to.append(make("h3", {}, title), make("div", { class: "wrap" }, make("table", { class: "rows" },
    make("caption", { class: "unseen" }, title), headOf(head), body)));
}

const headOf = (names) => make("thead", {}, make("tr", {},
  ...names.map((name) => make("th", { scope: "col" }, name))));

function cell(label, content, kind = "") {
  return make("td", { "data-label": label, ...(kind === "" ? {} : { class: kind }) }, content);
}

function showSummary() {
  const { stack, other } = report;
  const instructions = stack.filters.reduce((sum, each) => sum + each.targets.length, 0);
  const tiles = [
    ["Filters", stack.filters.length.toLocaleString("en")],
    ["Instructions", instructions.toLocaleString("en")],
    ["Of the limit of 32,768", stack.limit_used.toLocaleString("en")],
    ["Kernel", `Linux ${report.kernel}`],
    ["Architecture", report.arch],
    [`Default on ${report.arch}`, badge(defaultOf(stack, report.arch))],
  ];
  byId("lead").textContent = other === null
    ? `What this stack of ${plural(stack.filters.length, "filter")} does with every call, as Linux ${report.kernel} on ${report.arch} runs it.`
    : `Two stacks beside each other, as Linux ${report.kernel} on ${report.arch} runs them.`;
  for (const [name, value] of tiles) {
    byId("tiles").append(make("div", { class: "tile" }, make("dt", {}, name), make("dd", {}, value)));
  }
  showShares(stack, homeArch, byId("shares"));
  const note = "Filters, the oldest first; the newest runs first, the strictest result wins";
  showFilters(stack, note, byId("filters"));
  if (other !== null) showFilters(other, "Beside them", byId("filters"));
}

// What a suite covered of the filters, as `callgate test --coverage json=FILE` writes it. The marks are
// those of its listing.
const kCoverage = {
  covered: { mark: "✓", words: "covered" },
  partly: { mark: "½", words: "partly covered" },
  not_visited: { mark: "!", words: "not visited" },
  not_known: { mark: "?", words: "not known" },
  foreign: { mark: "~", words: "foreign" },
  unreachable: { mark: "-", words: "unreachable" },
};
const kCountsAsMissing = ["not_visited", "not_known"];
const kMostMissing = 100;

const coverageWords = (state) => `${kCoverage[state].mark} ${kCoverage[state].words}`;

// What was covered of a filter; null where that is not known.
function coverageOf(which, index) {
  const place = (which === 0 ? report.coverage?.stack : report.coverage?.other)?.[index] ?? null;
  if (place === null) return null;
  const program = report.coverage.programs[place];
  program.wayAt ??= new Map(program.ways.map((way) => [way.at, way]));
  return program;
}

// Of several things together: what no call of this machine comes to is not missed.
function together(points) {
  const states = new Set(points.map((point) => point.state));
  for (const other of ["foreign", "unreachable"]) if (states.size > 1) states.delete(other);
  if (states.has("covered")) return states.size === 1 ? "covered" : "partly";
  return [...kCountsAsMissing, "foreign", "unreachable"].find((state) => states.has(state));
}

// The directions that an exit of a block stands for.
function waysOfExit(covered, filter, node, exit) {
  const way = (at) => {
    const both = covered.wayAt.get(at);
    return filter.targets[at][0] === exit.to ? both.taken : both.not_taken;
  };
  const ways = node.tests.filter((test) => test.yes === exit.to).map((test) => way(test.at));
  if (node.tests.length > 0 && node.no === exit.to) ways.push(way(node.tests.at(-1).at));
  return ways.length > 0 ? ways : [covered.points[node.last]];
}

// Says in each block and at each exit whether it is covered; a line of text in a block.
function markGraph(graph, filter, covered) {
  for (const node of graph.nodes) {
    node.coverage = together(node.instructions.map((at) => covered.points[at]));
    node.lines.push(coverageWords(node.coverage));
    node.whole = `${kCoverage[node.coverage].words}\n${node.whole}`;
    for (const exit of node.exits) exit.coverage = together(waysOfExit(covered, filter, node, exit));
  }
}

// Diagonal lines in a rectangle, for a block that is not visited.
function hatched(x, y, width, height) {
  let path = "";
  for (let c = 9; c < width + height; c += 9) {
    const [x0, y0] = [Math.max(0, c - height), Math.min(c, height)];
    const [x1, y1] = [Math.min(c, width), Math.max(0, c - width)];
    path += `M${(x + x0).toFixed(1)} ${(y + y0).toFixed(1)}L${(x + x1).toFixed(1)} ${(y + y1).toFixed(1)}`;
  }
  return draw("path", { class: "hatch", d: path });
}

const timesWords = (point) => (point.inputs > 0 ? point.inputs.toLocaleString("en") : "by proof");

// The margin of an instruction in the listing, and its directions that are not covered.
function marginOf(covered, at) {
  const point = covered.points[at];
  const { mark, words } = kCoverage[point.state];
  return make("span", { class: `margin cov-${point.state}` }, `${mark} `,
    make("span", { class: "words" }, point.state === "covered" ? timesWords(point) : words));
}

function waysOf(covered, filter, at) {
  const way = covered.wayAt.get(at);
  if (way === undefined) return [];
  return filter.targets[at].map((to, i) => ({ to, point: i === 0 ? way.taken : way.not_taken,
    words: `to ${String(to).padStart(4, "0")}${filter.targets[at][0] !== filter.targets[at][1] ? "" : i === 0 ? " (taken)" : " (not taken)"}` }));
}

function waysWords(covered, filter, at) {
  const missing = waysOf(covered, filter, at).filter((way) => way.point.state !== "covered");
  if (missing.length === 0 || covered.points[at].state !== "covered") return null;
  return make("span", { class: "ways" }, missing.map((way) => `${kCoverage[way.point.state].mark} ${way.words} ${kCoverage[way.point.state].words}`).join("; "));
}

const allCovered = (covered, filter, at) =>
  covered.points[at].state === "covered" && waysOf(covered, filter, at).every((way) => way.point.state === "covered");

function coverageKey() {
  return make("ul", { class: "key" }, ...Object.values(kCoverage).map(({ mark, words }, i) =>
    make("li", { class: `cov-${Object.keys(kCoverage)[i]}` }, make("b", {}, mark), ` ${words}`)));
}

function coverageFigures() {
  const { coverage } = report;
  const body = make("tbody");
  const add = (name, what, count) => {
    const bar = make("span", { class: "bar-of", "aria-hidden": "true" });
    bar.style.width = `${count.all === 0 ? 100 : (100 * count.covered / count.all).toFixed(1)}%`;
    body.append(make("tr", {}, ...(name === null ? [] : [cell("Filter", name, "name")]), cell("What", what, "name"),
      cell("Covered", make("span", { class: "figure" }, `${count.percent} (${count.covered.toLocaleString("en")} of ${count.all.toLocaleString("en")})`, bar), "figures"),
      ...["not_visited", "not_known", "foreign", "unreachable"].map((key) => cell(kCoverage[key].words, count[key].toLocaleString("en"), "number"))));
  };
  const several = coverage.programs.length > 1;
  if (several) {
    for (const program of coverage.programs) {
      add(program.file, "instructions", program.instructions);
      add(program.file, "branches", program.branches);
    }
  }
  const all = several ? "all" : null;
  add(all, "instructions", coverage.instructions);
  add(all, "branches", coverage.branches);
  if (coverage.rules.all + coverage.rules.foreign + coverage.rules.unreachable > 0) add(all, "rules", coverage.rules);
  return make("div", { class: "wrap" }, make("table", { class: "rows" }, make("caption", { class: "unseen" }, "How much is covered"),
    headOf([...(several ? ["Filter"] : []), "What", "Covered", "Not visited", "Not known", "Foreign", "Unreachable"]), body));
}

const kWhy = { foreign: "only calls of other machines come there", unreachable: "no call comes there" };

// Rows for what is not covered, each with the call that would come there.
function missingTable(rows, form, caption) {
  const several = new Set(rows.map((row) => row.file)).size > 1;
  const body = make("tbody");
  const add = (row) => {
    const call = row.would === undefined ? null : report.coverage.calls[row.would];
    const put = call === null ? "" : putButton(form, call, `Put ${call.text} to the filters, which comes to ${row.words}`, "Put to the filters");
    const what = make("span", {}, row.words);
    if (row.statement !== undefined) what.append(make("code", { class: "statement" }, row.statement));
    body.append(make("tr", {}, ...(several ? [cell("File", row.file, "name")] : []), cell("What", what, "name"),
      cell("State", make("span", { class: `cov-${row.state}` }, coverageWords(row.state))),
      cell("Call", call !== null ? make("code", {}, call.text) : row.why ?? kWhy[row.state] ?? "none is at hand"), cell("Try", put)));
  };
  rows.slice(0, kMostMissing).forEach(add);
  const whole = make("div", {}, make("div", { class: "wrap tall", tabindex: "0", role: "region", "aria-label": caption },
    make("table", { class: "rows" }, make("caption", { class: "unseen" }, caption),
      headOf([...(several ? ["File"] : []), "What", "State", "A call that comes there", "Try it"]), body)));
  if (rows.length > kMostMissing) {
    const more = make("button", { type: "button", class: "more" }, `Show ${(rows.length - kMostMissing).toLocaleString("en")} more`);
    more.addEventListener("click", () => {
      rows.slice(kMostMissing).forEach(add);
      more.remove();
    });
    whole.append(more);
  }
  return whole;
}

function showCoverage(form) {
  const { coverage } = report;
  if (coverage === null) return;
  byId("coverage").hidden = false;
  byId("coverage-link").hidden = false;
  const statements = new Map();
  [[report.stack, 0], [report.other, 1]].forEach(([stack, which]) => stack?.filters.forEach((filter, index) => {
    const program = coverageOf(which, index);
    if (program !== null) statements.set(program, filter.statements);
  }));
  const rows = [...coverage.programs.flatMap((program) => program.missing.map((row) =>
    ({ ...row, file: program.file, statement: statements.get(program)[row.at] }))), ...coverage.missing_rules];
  const missing = rows.filter((row) => kCountsAsMissing.includes(row.state));
  const never = rows.filter((row) => !kCountsAsMissing.includes(row.state));
  const to = byId("coverage-body");
  to.append(make("p", {}, `What ${plural(coverage.inputs, "call")} that were run and ${plural(coverage.proofs, "proof")} came to.`),
    coverageFigures());
  to.append(make("h3", {}, missing.length === 0 ? "All that calls can come to is covered" : "Not covered, what comes next to what is covered first"));
  if (missing.length > 0) to.append(missingTable(missing, form, "What is not covered, and calls that come there"));
  if (never.length > 0) {
    to.append(make("details", {}, make("summary", {}, `${never.length.toLocaleString("en")} that no call of this machine comes to`),
      missingTable(never, form, "What no call of this machine comes to")));
  }
  for (const words of coverage.differs) to.append(make("p", { class: "notice" }, `The program says something else than a rule: ${words}`));
  byId("flow-key").append(coverageKey());
  byId("flow-key").hidden = false;
}

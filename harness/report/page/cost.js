// What calls cost, as `callgate cost` predicts.
const costByNumber = new Map((report.cost?.calls ?? []).map((row) => [row.nr, row]));

function costWords(row) {
  const parts = [row.served ? "served by the kernel's cache: no instructions run" : `${row.classic}${row.exact ? "" : "~"} instructions`];
  if (row.ns !== undefined) parts.push(`adds ${row.ns} ns`);
  if (row.machine !== undefined) parts.push(`adds ${row.machine} machine instructions`);
  return parts.join(", ");
}

// Of a call of the report's own architecture.
function costOf(call) {
  if (report.cost === null || call.token !== homeArch.token) return null;
  const row = costByNumber.get(call.nr >>> 0);
  return row === undefined ? "Cost: not predicted for this number." : `Cost: ${costWords(row)}.`;
}

function showCost() {
  if (report.cost === null) return;
  byId("cost").hidden = false;
  byId("cost-link").hidden = false;
  const { cost } = report;
  const highest = Math.max(1, ...cost.calls.map((row) => row.most));
  const body = make("tbody");
  for (const row of cost.calls) {
    const bar = make("span", { class: "bar-of", "aria-hidden": "true" });
    bar.style.width = `${(100 * row.most / highest).toFixed(1)}%`;
    body.append(make("tr", {}, cell("Call", row.name, "name"), cell("Count", row.count.toLocaleString("en"), "number"),
      cell("Cached", row.cached), cell("Instructions", make("span", { class: "figure" }, row.served ? `(${row.classic})` : `${row.classic}${row.exact ? "" : "~"}`, bar), "figures"),
      ...(cost.time ? [cell("Adds ns", row.ns ?? "", "number")] : []),
      ...(cost.machine ? [cell("Adds machine instructions", row.machine ?? "", "number")] : []),
      cell("Why not", row.why === "" ? "-" : row.why)));
  }
  const head = ["Call", "Count", "Cached", "Instructions", ...(cost.time ? ["Adds ns"] : []),
    ...(cost.machine ? ["Adds machine instructions"] : []), "Why not cached"];
  byId("cost-body").append(make("p", {}, cost.summary), make("p", { class: "soft" }, `${cost.cache}. ${cost.machine_words} ` +
    "( ): the cache serves the number, these do not run. ~: depends on more than number and architecture; no call runs less or more, but the ends may not be reached."),
    make("div", { class: "wrap tall", tabindex: "0", role: "region", "aria-label": "Cost of each call" },
      make("table", { class: "rows" }, make("caption", { class: "unseen" }, "What each call costs, the dearest first"), headOf(head), body)));
}

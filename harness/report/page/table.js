// The decision table: search and filters.
const kPage = 100;
const kShownNames = 24;

// The calls of a row in words: names where there are any, and ranges of numbers without.
function callsOf(row) {
  const arch = archNamed.get(row.arch);
  const names = [];
  const ranges = [];
  for (let i = 0; i < row.numbers.length; i += 2) {
    const [first, last] = [row.numbers[i], row.numbers[i + 1]];
    let from = first;
    if (arch !== undefined && last - first < 100000) {
      for (let nr = first; nr <= last; ++nr) {
        const name = arch.names.get(nr);
        if (name === undefined) continue;
        if (from < nr) ranges.push([from, nr - 1]);
        names.push(name);
        from = nr + 1;
      }
    } else if (arch !== undefined) {
      for (const [nr, name] of arch.names) if (nr >= first && nr <= last) names.push(name);
    }
    if (from <= last) ranges.push([from, last]);
  }
  const signed = (nr) => (nr >= 0xfffff000 ? nr - 0x100000000 : nr >= 0x100000 ? hex8(nr) : nr);
  return {
    names,
    ranges: ranges.map(([first, last]) => (first === last ? `${signed(first)}` : `${signed(first)} to ${signed(last)}`)),
  };
}

function prepared(stack) {
  return stack.table.map((row) => {
    const calls = callsOf(row);
    const all = row.numbers.length === 2 && row.numbers[0] === 0 && row.numbers[1] === 0xffffffff;
    return { ...row, ...calls, all,
      // Numbers are searched as words of their own, calls and conditions by any part.
      text: [...calls.names, row.condition, row.action].join(" ").toLowerCase() };
  });
}

function matches(row, query) {
  if (query === "") return true;
  const number = parseNumber(query);
  if (number !== null && number <= 0xffffffffn && inRanges(row.numbers, Number(number))) return true;
  return row.text.includes(query.toLowerCase());
}

function callsCell(row) {
  const to = make("div");
  const whole = make("td", { "data-label": "Syscalls", class: "calls" }, to);
  if (row.all && row.names.length === 0) {
    to.append("every number");
    return whole;
  }
  const items = row.rest ? [] : [...row.names, ...row.ranges];
  if (row.rest) {
    to.append(make("b", {}, row.all ? "every number" : "all other numbers"));
    if (row.names.length > 0) to.append(make("details", {}, make("summary", {}, `${row.names.length} of them named`), row.names.join(", ")));
  } else if (items.length <= kShownNames) {
    to.append(items.join(", "));
  } else {
    to.append(items.slice(0, kShownNames).join(", "), make("details", {},
      make("summary", {}, `and ${items.length - kShownNames} more`), items.slice(kShownNames).join(", ")));
  }
  if (row.cut) to.append(" more ranges of numbers than are listed");
  return whole;
}

class DecisionView {
  constructor() {
    this.stacks = [report.stack, ...(report.other === null ? [] : [report.other])];
    this.rows = this.stacks.map(prepared);
    this.shown = kPage;
    byId("table-stack-field").hidden = report.other === null;
    byId("table-stack").append(make("option", { value: "0" }, "the report's"), make("option", { value: "1" }, "beside them"));
    for (const id of ["search", "table-action", "table-arch", "table-stack"]) {
      byId(id).addEventListener("input", () => {
        this.shown = kPage;
        if (id === "table-stack") this.choices();
        this.show();
      });
    }
    this.choices();
    this.show();
  }

  get current() { return this.rows[Number(byId("table-stack").value || 0)]; }

  choices() {
    const fill = (id, all, values) => byId(id).replaceChildren(make("option", { value: "" }, all),
      ...[...new Set(values)].map((value) => make("option", { value }, value)));
    fill("table-action", "every action", this.current.map((row) => row.action).sort());
    fill("table-arch", "every architecture", this.current.map((row) => row.arch));
  }

  show() {
    const query = byId("search").value.trim();
    const action = byId("table-action").value;
    const arch = byId("table-arch").value;
    const found = this.current.filter((row) => (action === "" || row.action === action) &&
      (arch === "" || row.arch === arch) && matches(row, query));
    const left = this.stacks[Number(byId("table-stack").value || 0)].left_out;
    byId("table-words").textContent = `${plural(found.length, "row")} of ${this.current.length.toLocaleString("en")}.` +
      (left.length > 0 ? ` Left out: ${left.join("; ")}.` : "");
    const body = make("tbody");
    for (const row of found.slice(0, this.shown)) {
      body.append(make("tr", {}, cell("Architecture", row.arch, "arch"), callsCell(row),
        cell("Condition", row.condition === "" ? "always" : row.condition, row.condition === "" ? "condition soft" : "condition"),
        cell("Action", badge(row.action)), cell("Decided by", row.filter === null ? "no filter" : `filter ${row.filter}`, "by")));
    }
    const table = make("table", { class: "rows" }, make("caption", { class: "unseen" }, "What calls get"),
      headOf(["Architecture", "Syscalls", "Condition", "Action", "Decided by"]), body);
    byId("table").replaceChildren(make("div", { class: "wrap" }, table));
    if (found.length > this.shown) {
      const more = make("button", { type: "button", class: "more" }, `Show ${Math.min(kPage, found.length - this.shown)} more`);
      more.addEventListener("click", () => {
        this.shown += kPage;
        this.show();
        byId("table").querySelector("button.more")?.focus();
      });
      byId("table").append(more);
    }
  }
}

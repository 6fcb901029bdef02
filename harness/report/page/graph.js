// The control flow of a filter: as a graph, or as a listing where that has too much in it.
const kMostNodes = 260;
const kMostItems = 5000;

function draw(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

class FlowView {
  constructor() {
    this.filters = [];
    const add = (stack, which, more) => stack.filters.forEach((filter, index) => {
      this.filters.push({ filter, which, index, covered: coverageOf(which, index), words: `${index}: ${filter.name}${more}` });
    });
    add(report.stack, 0, "");
    if (report.other !== null) add(report.other, 1, " (beside)");
    byId("which").append(...this.filters.map((each, i) => make("option", { value: i }, each.words)));
    byId("which-field").hidden = this.filters.length < 2;
    byId("which").addEventListener("change", () => this.show());
    byId("view").addEventListener("change", () => this.show());
    byId("only").addEventListener("change", () => this.show());
    byId("missing").addEventListener("change", () => this.show());
    byId("smaller").addEventListener("click", () => this.zoomBy(1 / 1.25));
    byId("larger").addEventListener("click", () => this.zoomBy(1.25));
    byId("fit").addEventListener("click", () => this.fit());
    this.answers = [];
    if (this.filters.length > 0 && this.plan(0) === null) byId("view").value = "list";
    this.show();
  }

  // The graph with places, made when it is first asked for; null where there is too much of it.
  plan(place) {
    const each = this.filters[place];
    if (each.plan === undefined) {
      each.graph = graphOf(each.filter);
      if (each.covered !== null) markGraph(each.graph, each.filter, each.covered);
      const few = each.graph.nodes.length <= kMostNodes;
      each.plan = few ? laidOut(each.graph, kMostItems) : null;
    }
    return each.plan;
  }

  // The answers of the last call, one for each stack.
  light(answers) {
    this.answers = answers;
    this.show(true);
  }

  // Choose the filter that decided, if it is another.
  choose(which, index) {
    const place = this.filters.findIndex((each) => each.which === which && each.index === index);
    if (place >= 0) byId("which").value = String(place);
  }

  show(follow = false) {
    if (this.filters.length === 0) return;
    const place = Number(byId("which").value);
    const each = this.filters[place];
    const answer = this.answers[each.which]?.filters[each.index];
    const steps = answer === undefined ? null : [...answer.steps()];
    const wanted = byId("view").value;
    const plan = wanted === "graph" ? this.plan(place) : null;
    const size = plural(each.filter.targets.length, "instruction");
    let words = "";
    if (wanted === "graph" && plan === null) {
      words = `This filter has ${size} in ${each.graph.nodes.length.toLocaleString("en")} blocks, more than a drawing can show; it is listed instead. `;
    } else if (plan !== null) {
      words = `${size} in ${plural(each.graph.nodes.length, "block")}; compares of one word with many values are one block. `;
    }
    words += steps === null ? "Evaluate a call to light up its path." : `Lit: the ${plural(steps.length, "instruction")} that the call executed.`;
    byId("flow-words").textContent = words;
    byId("zoom").hidden = plan === null;
    byId("only-field").hidden = plan !== null || steps === null;
    byId("missing-field").hidden = plan !== null || each.covered === null;
    byId("canvas").className = plan === null ? "canvas listing" : "canvas";
    this.svg = null;
    if (plan === null) this.list(each, steps);
    else this.picture(each, steps, follow);
  }

  list({ filter, covered }, steps) {
    const lit = new Set(steps ?? []);
    const only = steps !== null && byId("only").checked;
    const missing = covered !== null && byId("missing").checked;
    const list = make("ol");
    let last = null;
    filter.statements.forEach((statement, at) => {
      if ((only && !lit.has(at)) || (missing && allCovered(covered, filter, at))) return;
      const row = make("li", { class: lit.has(at) ? `lit ${tone(statement)}` : "" },
        covered === null ? null : marginOf(covered, at), make("span", { class: "at" }, String(at).padStart(4, "0")), make("code", {}, statement));
      if (lit.has(at)) row.append(make("span", { class: "unseen" }, " (executed)"));
      const ways = covered === null ? null : waysWords(covered, filter, at);
      if (ways !== null) row.append(ways);
      if (at === steps?.at(-1)) last = row;
      list.append(row);
    });
    byId("canvas").replaceChildren(list.children.length > 0 ? list : make("p", { class: "soft none" }, "Nothing here: all of it is covered."));
    if (last !== null && !only) byId("canvas").scrollTop = Math.max(0, last.offsetTop - byId("canvas").clientHeight / 2);
  }

  // Which exits the steps leave by: the node and where it leads.
  litExits(graph, steps) {
    const exits = new Set();
    const nodes = new Set();
    steps.forEach((at, i) => {
      const id = graph.nodeOf.get(at);
      nodes.add(id);
      const next = graph.nodeOf.get(steps[i + 1]);
      if (next === undefined || next === id) return;
      const exit = graph.nodes[id].exits.find((one) => one.node === next);
      if (exit !== undefined) exits.add(exit);
    });
    return { exits, nodes };
  }

  picture(each, steps, follow) {
    const { plan, graph } = each;
    const lit = steps === null ? { exits: new Set(), nodes: new Set() } : this.litExits(graph, steps);
    const under = draw("g", { class: "edges" });
    const over = draw("g", { class: "edges lit" });
    const labels = draw("g", { class: "labels" });
    for (const node of graph.nodes) {
      const exits = [...node.exits].sort((a, b) => a.route[1].x - b.route[1].x);
      exits.forEach((exit, i) => this.edge(exit, i, exits.length, lit.exits.has(exit), under, over, labels));
    }
    const nodes = draw("g", {});
    for (const item of plan.items) if (item.node) nodes.append(this.node(item, lit.nodes.has(item.node.id), steps !== null));
    const words = `Control flow graph of filter ${each.words}, ${graph.nodes.length} blocks. The listing says the same in text.`;
    this.svg = draw("svg", { viewBox: `0 0 ${plan.width.toFixed(0)} ${plan.height.toFixed(0)}`, role: "img", "aria-label": words,
      class: steps === null ? "" : "dim" }, under, over, nodes, labels);
    this.plane = plan;
    byId("canvas").replaceChildren(this.svg);
    if (this.zoom === undefined || this.drawn !== each) this.fit();
    this.zoomTo(this.zoom);
    this.drawn = each;
    if (follow && steps !== null) this.follow(plan.items[graph.nodeOf.get(steps.at(-1))]);
  }

  follow(item) {
    const canvas = byId("canvas");
    canvas.scrollTop = Math.max(0, item.top * this.zoom - canvas.clientHeight * 0.6);
    canvas.scrollLeft = Math.max(0, item.x * this.zoom - canvas.clientWidth / 2);
  }

  edge(exit, place, count, lit, under, over, labels) {
    const { route } = exit;
    const start = route[0];
    const spread = Math.min(kLabelRoom, (start.width - (count > 2 && count <= kLabelled ? kLabelRoom : 24)) / Math.max(1, count - 1));
    const x0 = start.x + (place - (count - 1) / 2) * spread;
    let path = `M${x0.toFixed(1)} ${start.bottom}`;
    let [x, y] = [x0, start.bottom];
    for (let i = 1; i < route.length; ++i) {
      const to = route[i];
      const middle = to.top - kLayerGap / 2;
      if (y < middle - kLayerGap / 2) path += `V${middle - kLayerGap / 2}`;
      path += `C${x.toFixed(1)} ${middle} ${to.x.toFixed(1)} ${middle} ${to.x.toFixed(1)} ${to.top}`;
      if (!to.node) path += `V${to.bottom}`;
      [x, y] = [to.x, to.node ? to.top : to.bottom];
    }
    const last = route.at(-1);
    path += `M${last.x - 4} ${last.top - 6}L${last.x} ${last.top}L${last.x + 4} ${last.top - 6}`;
    (lit ? over : under).append(draw("path", { d: path, ...(exit.coverage === undefined ? {} : { class: `cov-${exit.coverage}` }) }));
    const bare = count > kLabelled && !lit;
    const mark = exit.coverage === undefined || (exit.coverage === "covered" && (bare || exit.label === "")) ? "" : kCoverage[exit.coverage].mark;
    const words = [mark, bare ? "" : cut(exit.label, count > 2 ? 13 : 18)].filter((part) => part !== "").join(" ");
    if (words === "") return;
    const aside = count !== 2 ? 0 : place === 0 ? -4 : 4;
    labels.append(draw("text", { x: (x0 + aside).toFixed(1), y: start.bottom + 13, class: lit ? "lit" : "",
      "text-anchor": count !== 2 ? "middle" : place === 0 ? "end" : "start" }, words));
  }

  node(item, lit, some) {
    const { node } = item;
    const covered = node.coverage === undefined ? "" : ` cov-${node.coverage}`;
    const group = draw("g", { class: `node ${node.tone}${covered}${lit ? " lit" : some ? " off" : ""}` },
      draw("title", {}, node.whole),
      draw("rect", { x: (item.x - item.width / 2).toFixed(1), y: item.top, width: item.width.toFixed(1), height: item.height,
        rx: node.tone === "" ? 5 : 14 }));
    if (node.coverage === "not_visited") group.append(hatched(item.x - item.width / 2, item.top, item.width, item.height));
    node.lines.forEach((line, i) => {
      const last = node.coverage !== undefined && i + 1 === node.lines.length;
      group.append(draw("text", { ...(last ? { class: "state" } : {}), x: (item.x - item.width / 2 + 10).toFixed(1), y: item.top + 19 + i * kLineHeight }, line));
    });
    return group;
  }

  zoomTo(zoom) {
    this.zoom = Math.min(3, Math.max(0.1, zoom));
    this.svg.setAttribute("width", (this.plane.width * this.zoom).toFixed(0));
    this.svg.setAttribute("height", (this.plane.height * this.zoom).toFixed(0));
  }

  zoomBy(factor) {
    if (this.svg !== null) this.zoomTo(this.zoom * factor);
  }

  // The width of the canvas, unless that would be too small to read.
  fit() {
    if (this.svg === null) return;
    this.zoomTo(Math.min(1, Math.max(byId("canvas").clientWidth < 500 ? 0.8 : 0.55, (byId("canvas").clientWidth - 4) / this.plane.width)));
    byId("canvas").scrollLeft = (this.plane.width * this.zoom - byId("canvas").clientWidth) / 2;
  }
}

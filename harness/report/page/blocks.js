// A filter's program as a graph of blocks: what runs without a choice is one block, and compares of
// the same word with one value after the other are one node.
const kLines = 5;

// A conditional jump by its statement, "if (nr == openat) goto 0007 else 0008": the condition, where it
// leads when it holds, and where when not. "nr != openat" is the same test the other way round.
function testOf(filter, at) {
  const match = /^if \((.*)\) goto (\d+)/.exec(filter.statements[at]);
  if (match === null) return null;
  const [, condition, place] = match;
  const holds = Number(place);
  const not = filter.targets[at].find((to) => to !== holds);
  const equal = /^(\S+(?: \S+)*) ([=!])= (\S+)$/.exec(condition);
  if (equal === null || not === undefined) return { condition, yes: holds, no: not ?? holds };
  const [yes, no] = equal[2] === "=" ? [holds, not] : [not, holds];
  return { condition: `${equal[1]} == ${equal[3]}`, word: equal[1], value: equal[3], yes, no };
}

// Instructions that can be reached, and from where.
function flowOf(filter) {
  const from = filter.targets.map(() => []);
  const reached = filter.targets.map(() => false);
  if (reached.length > 0) reached[0] = true;
  // Jumps go forward only.
  filter.targets.forEach((targets, at) => {
    if (!reached[at]) return;
    for (const to of new Set(targets)) {
      from[to].push(at);
      reached[to] = true;
    }
  });
  return { from, reached };
}

function blocksOf(filter) {
  const { from, reached } = flowOf(filter);
  const targetsOf = (at) => [...new Set(filter.targets[at])];
  const begins = (at) => reached[at] && (from[at].length !== 1 || targetsOf(from[at][0]).length !== 1);
  const nodes = [];
  const taken = new Set();
  for (let start = 0; start < filter.targets.length; ++start) {
    if (!begins(start) || taken.has(start)) continue;
    const node = { first: start, instructions: [], tests: [], exits: [], last: start };
    let at = start;
    for (;;) {
      node.instructions.push(at);
      node.last = at;
      const targets = targetsOf(at);
      if (targets.length === 1 && from[targets[0]].length === 1) {
        at = targets[0];
        continue;
      }
      if (targets.length !== 2) {
        if (targets.length === 1) node.exits.push({ to: targets[0], from: at, label: "" });
        break;
      }
      const test = testOf(filter, at);
      node.tests.push({ at, ...test });
      const { word, no } = test;
      const goesOn = word !== undefined && from[no].length === 1 && targetsOf(no).length === 2 && testOf(filter, no)?.word === word;
      if (!goesOn) {
        node.no = no;
        break;
      }
      taken.add(no);
      at = no;
    }
    finishTests(node);
    nodes.push(node);
  }
  return nodes;
}

// Tests of a node as exits, those to the same place together.
function finishTests(node) {
  if (node.tests.length === 0) return;
  if (node.tests.length === 1) {
    node.exits.push({ to: node.tests[0].yes, from: node.last, label: "yes" }, { to: node.no, from: node.last, label: "no" });
    return;
  }
  const groups = new Map();
  for (const test of node.tests) {
    if (!groups.has(test.yes)) groups.set(test.yes, []);
    groups.get(test.yes).push(test);
  }
  for (const [to, tests] of groups) {
    node.exits.push({ to, label: tests.length === 1 ? tests[0].value : `any of ${tests.length}`, tests });
  }
  const also = node.exits.find((exit) => exit.to === node.no);
  if (also === undefined) node.exits.push({ to: node.no, label: "none of them" });
  else also.label += ", or none";
}

const cut = (text, length) => (text.length > length ? text.slice(0, length - 1) + "…" : text);

// What is written in a node, and the whole of it.
function linesOf(filter, node) {
  const chain = new Set(node.tests.map((test) => test.at));
  const plain = node.instructions.filter((at) => !chain.has(at)).map((at) => filter.statements[at]);
  if (node.tests.length === 1) plain.push(`${node.tests[0].condition} ?`);
  const lines = plain.length > kLines ? [...plain.slice(0, 2), `… ${plain.length - 3} more`, plain.at(-1)] : plain;
  if (node.tests.length > 1) {
    const values = node.tests.map((test) => test.value);
    lines.push(`${node.tests[0].word} is one of ${values.length}:`);
    for (let i = 0; i < values.length && i < 9; i += 3) lines.push("  " + values.slice(i, i + 3).join(", "));
    if (values.length > 9) lines[lines.length - 1] += ", …";
  }
  return lines.map((line) => cut(line, 40));
}

const wholeText = (filter, node) => node.instructions.map((at) => `${String(at).padStart(4, "0")}  ${filter.statements[at]}`).join("\n");

function graphOf(filter) {
  const nodes = blocksOf(filter);
  const byFirst = new Map(nodes.map((node, id) => [node.first, id]));
  const nodeOf = new Map();
  nodes.forEach((node, id) => {
    node.id = id;
    node.lines = linesOf(filter, node);
    node.whole = wholeText(filter, node);
    const last = filter.statements[node.last];
    node.tone = node.exits.length === 0 ? tone(last) : "";
    for (const at of node.instructions) nodeOf.set(at, id);
    for (const exit of node.exits) exit.node = byFirst.get(exit.to);
  });
  return { nodes, nodeOf };
}

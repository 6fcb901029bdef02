// The page of `callgate report` in a browser: its engine beside the library's, its form, its access by
// keyboard, axe-core, and that it loads nothing.
//   node browser_test.mjs CALLGATE CHROMIUM NODE_FOLDER CORPUS OUT [CALLS [SEED]]
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

const [callgate, chromium, nodeFolder, corpus, out, callsWanted = "10000", seedText = "1"] = process.argv.slice(2);
const need = createRequire(join(nodeFolder, "package.json"));
const puppeteer = (await import(pathToFileURL(need.resolve("puppeteer-core")).href)).default;
const axeSource = readFileSync(need.resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(out, { recursive: true });

let failures = 0;
const say = (text) => process.stdout.write(text + "\n");
function hold(condition, text) {
  if (condition) return;
  failures += 1;
  if (failures < 30) say(`FAILED ${text}`);
}

let state = BigInt(seedText);
function random() {  // splitmix64
  state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
  return z ^ (z >> 31n);
}
const below = (n) => Number(random() % BigInt(n));
const pick = (list) => list[below(list.length)];

function randomArgument() {
  switch (below(6)) {
    case 0: return 0n;
    case 1: return BigInt(below(64));
    case 2: return 1n << BigInt(below(64));
    case 3: return random();
    case 4: return random() & 0xffffffffn;
    default: return pick([0x10000n, 0x7e020000n, 0xffffffffn, 0x100000000n, 8n, 0x20008n, 16n, 40n, 0x5412n, 0x541cn, 0xffffffffffffffffn]);
  }
}

const kTokens = { x86_64: 0xc000003e, x86: 0x40000003, aarch64: 0xc00000b7, arm: 0x40000028, s390x: 0x80000016 };
function randomCall(home) {
  const token = below(10) < 7 ? kTokens[home] : pick([...Object.values(kTokens), Number(random() & 0xffffffffn)]);
  let nr = below(10) < 8 ? below(470) : pick([335, 336, 0x40000000 + below(550), -1, Number(BigInt.asIntN(32, random()))]);
  return { nr: nr | 0, token, ip: random(), args: Array.from({ length: 6 }, randomArgument) };
}

function record(call, little) {
  const bytes = new DataView(new ArrayBuffer(64));
  bytes.setInt32(0, call.nr, little);
  bytes.setUint32(4, call.token, little);
  bytes.setBigUint64(8, call.ip, little);
  call.args.forEach((value, i) => bytes.setBigUint64(16 + 8 * i, value, little));
  return new Uint8Array(bytes.buffer);
}

const run = (...words) => execFileSync(callgate, words, { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] });
const text = (call) => ({ nr: call.nr, token: call.token, ip: String(call.ip), args: call.args.map(String) });

const browser = await puppeteer.launch({ executablePath: chromium, headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });

async function open(name, words, { width = 1280, dark = false } = {}) {
  const path = join(out, `${name}.html`);
  run("report", ...words, "-o", path);
  return openFile(path, { width, dark });
}

async function openFile(path, { width = 1280, dark = false } = {}) {
  const page = await browser.newPage();
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  page.on("request", (request) => hold(request.url() === pathToFileURL(path).href, `the page asks for ${request.url()}`));
  page.on("console", (message) => hold(message.type() !== "error", `${path}: ${message.text()}`));
  page.on("pageerror", (error) => hold(false, `${path}: ${error.message}`));
  await page.goto(pathToFileURL(path).href);
  await page.waitForSelector("html[data-ready]");
  return page;
}

// Calls through the page's own function, beside `callgate run --batch`.
async function compare(name, words, arch, count) {
  const page = await open(name, words);
  const little = arch !== "s390x";
  const calls = Array.from({ length: count }, () => randomCall(arch));
  const file = join(out, `${name}.calls`);
  writeFileSync(file, Buffer.concat(calls.map((call) => record(call, little))));
  const theirs = run("run", ...words, "--batch", file, "--format", "json").trimEnd().split("\n").map((line) => JSON.parse(line));
  const ours = await page.evaluate((list) => list.map((call) => {
    const answer = window.callgate.evaluate(0, { ...call, ip: BigInt(call.ip), args: call.args.map(BigInt) });
    return { value: answer.value, winner: answer.winner, fault: answer.faultFilter, verdict: answer.words.verdict, call: answer.words.call,
      outcome: window.callgate.report.outcomes[answer.outcome], number: answer.outcomeValue, signal: answer.signal,
      coreDump: answer.coreDump, logged: answer.logged, siErrno: answer.siErrno };
  }), calls.map(text));
  let different = 0;
  const kinds = new Map();
  hold(theirs.length === ours.length && ours.length === count, `${name}: ${theirs.length} and ${ours.length} answers`);
  ours.forEach((mine, i) => {
    const other = theirs[i];
    kinds.set(other.verdict, (kinds.get(other.verdict) ?? 0) + 1);
    const same = other.verdict === "unknown" ? mine.fault >= 0 && mine.verdict === "unknown" :
      mine.fault < 0 && Number(other.value) === mine.value && (other.winner ?? -1) === mine.winner &&
      other.verdict === mine.verdict && other.syscall === mine.call && other.outcome.kind === mine.outcome &&
      (other.outcome.value ?? 0) === mine.number && (other.outcome.signal ?? 0) === mine.signal &&
      (other.outcome.si_errno === undefined || other.outcome.si_errno === mine.siErrno) &&
      other.outcome.core_dump === mine.coreDump && other.outcome.logged === mine.logged;
    if (same) return;
    different += 1;
    if (different <= 3) say(`${JSON.stringify(text(calls[i]))}\n  ${JSON.stringify(other)}\n  ${JSON.stringify(mine)}`);
  });
  hold(different === 0, `${name}: ${different} answers differ`);
  say(`${name}: ${count} calls, ${different} differ; ${[...kinds].map(([verdict, n]) => `${verdict} ${n}`).slice(0, 8).join(", ")}`);
  return page;
}

// Calls through the form, beside what `callgate run` prints.
async function throughForm(page, words, arch, count) {
  const names = await page.evaluate((home) => {
    const row = window.callgate.report.arches.find((each) => each.name === home);
    return row.calls.filter((_, i) => i % 2 === 0).map((place) => window.callgate.report.names[place]);
  }, arch);
  let different = 0;
  for (let i = 0; i < count; ++i) {
    const syscall = below(4) > 0 ? pick(names) : pick([String(below(600)), "0x" + below(600).toString(16), "-1", "335"]);
    const args = Array.from({ length: below(7) }, () => {
      const value = randomArgument();
      return pick([String(value), "0x" + value.toString(16), "-" + String(value >> 1n)]);
    });
    const flags = ["tracer", "listener", "threads"].filter(() => below(3) === 0);
    const typed = { syscall, args, flags };
    if (i < 12) {  // letter by letter, and the key that sends it
      await page.evaluate((all) => {
        for (const id of ["tracer", "listener", "threads"]) document.getElementById(id).checked = all.flags.includes(id);
        for (let k = 0; k < 6; ++k) document.getElementById(`arg${k}`).value = "";
        document.getElementById("syscall").value = "";
      }, typed);
      await page.focus("#syscall");
      await page.keyboard.type(syscall);
      for (let k = 0; k < args.length; ++k) {
        await page.focus(`#arg${k}`);
        await page.keyboard.type(args[k]);
      }
      await page.keyboard.press("Enter");
    } else {
      await page.evaluate((all) => {
        for (const id of ["tracer", "listener", "threads"]) document.getElementById(id).checked = all.flags.includes(id);
        document.getElementById("syscall").value = all.syscall;
        for (let k = 0; k < 6; ++k) document.getElementById(`arg${k}`).value = all.args[k] ?? "";
        document.getElementById("evaluate").click();
      }, typed);
    }
    const card = await page.evaluate(() => {
      const first = document.querySelector("#answers .card");
      const part = (selector) => first?.querySelector(selector)?.textContent ?? "";
      const rows = [...(first?.querySelectorAll("p") ?? [])].map((each) => each.textContent);
      return { head: `${part(".verdict code")}  ${part(".verdict .badge")}  ${part(".verdict .outcome")}`, rows, error: document.getElementById("form-error").textContent };
    });
    let printed;
    try {
      printed = run("run", ...words, ...flags.map((each) => `--${each}`), "--", syscall, ...args).trimEnd().split("\n");
    } catch (error) {
      hold(card.error !== "", `${JSON.stringify(typed)}: the command refuses it: ${error.stderr}; the form does not`);
      continue;
    }
    const same = card.error === "" && card.head === printed[0] && printed.slice(1).every((line) => card.rows.includes(line.trim()));
    if (!same && ++different <= 3) say(`${JSON.stringify(typed)}\n  ${JSON.stringify(printed)}\n  ${JSON.stringify(card)}`);
  }
  hold(different === 0, `the form: ${different} answers differ`);
  say(`the form: ${count} calls, ${different} differ`);
}

// The instructions that a call executed, beside `callgate run -v`.
async function steps(page, words, count) {
  let different = 0;
  for (let i = 0; i < count; ++i) {
    const nr = below(470);
    const args = Array.from({ length: 3 }, randomArgument);
    const printed = JSON.parse(run("run", ...words, "-v", "--format", "json", String(nr), ...args.map(String)));
    const theirs = printed.filters.map((each) => each.steps.map((step) => step.instruction).join()).reverse();
    const ours = await page.evaluate((call) => window.callgate.evaluate(0, { ...call, ip: 0n, args: call.args.map(BigInt) })
      .filters.map((each) => [...each.steps()].join()), { nr, token: kTokens.x86_64, args: args.map(String) });
    if (JSON.stringify(theirs) !== JSON.stringify(ours)) different += 1;
  }
  hold(different === 0, `steps: ${different} calls differ`);
  say(`steps: ${count} calls, ${different} differ`);
}

async function axe(page, what) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => (await window.axe.run(document)).violations
    .map((each) => `${each.id}: ${each.help}: ${each.nodes.slice(0, 2).map((node) => node.html.slice(0, 160)).join(" | ")}`));
  for (const each of found) say(`axe, ${what}: ${each}`);
  hold(found.length === 0, `axe, ${what}: ${found.length} violations`);
  return found.length;
}

// From the top of the page by Tab and Enter alone: the skip link, the form, an answer, the theme.
async function keyboardWalk(page) {
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  const until = async (id, most) => {
    for (let i = 0; i < most; ++i) {
      await page.keyboard.press("Tab");
      if (await focused() === id) return true;
    }
    return false;
  };
  await page.keyboard.press("Tab");
  hold(await focused() === "Skip to the call form", "the first Tab stop is the skip link");
  hold(await until("theme", 10), "Tab reaches the switch of the theme");
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  const before = await theme();
  await page.keyboard.press("Space");
  hold(await theme() !== before, "the space bar switches the theme");
  await page.keyboard.press("Space");
  hold(await until("syscall", 20), "Tab reaches the form");
  await page.keyboard.type("getpid");
  await page.keyboard.press("Enter");
  hold((await page.$eval("#answers", (each) => each.textContent)).includes("getpid"), "Enter evaluates");
  hold(await until("canvas", 30), "Tab reaches the graph, which scrolls by the arrow keys");
  hold(await until("search", 10), "Tab reaches the search");
  await page.keyboard.type("ptrace");
  const rows = await page.$$eval("#table tbody tr", (all) => all.map((each) => each.textContent));
  hold(rows.length > 0 && rows.every((each) => each.includes("ptrace")), "the search finds ptrace alone");
  hold(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle) !== "none", "what has the focus is marked");
}

// Coverage by a suite of two calls, or by all that `callgate cases` names: how it is marked, and that
// each call that is named comes to where the page says.
async function coverage(filter, every, { width, dark }) {
  const name = `coverage-${basename(filter)}-${every ? "all-" : ""}${width}-${dark ? "dark" : "light"}`;
  const suite = join(out, `${name}.yaml`);
  const json = join(out, `${name}.json`);
  const recorded = every ? run("cases", "-f", filter, "--arch", "x86_64")
    : `recorded:\n  - getpid(): ALLOW\n  - socket(AF_NETLINK): ALLOW\n`;
  writeFileSync(suite, `filter: ${JSON.stringify(filter)}\narch: [x86_64]\n${recorded}`);
  run("test", "--coverage", `json=${json}`, suite);
  const page = await open(name, ["-f", filter, "--arch", "x86_64", "--coverage", json], { width, dark });
  const found = await page.evaluate(() => {
    const { report, evaluate } = window.callgate;
    const [program] = report.coverage.programs;
    const [filter] = report.stack.filters;
    const wrong = program.missing.filter((row) => row.would !== undefined).filter((row) => {
      const call = report.coverage.calls[row.would];
      const answer = evaluate(0, { nr: call.nr, token: call.token, ip: BigInt(call.ip), args: call.args.map(BigInt) });
      const steps = [...answer.filters[0].steps()];
      const to = / to (\d+)/.exec(row.words);
      const at = steps.indexOf(row.at);
      return at < 0 || (to !== null && steps[at + 1] !== Number(to[1]));
    }).map((row) => row.words);
    const ofNodes = [...document.querySelectorAll("#canvas .node")].map((node) =>
      [node.getAttribute("class"), node.querySelector(".state").textContent, node.querySelector(".hatch") !== null]);
    const exits = [...document.querySelectorAll("#canvas .edges path")].map((path) => path.getAttribute("class"));
    const labels = [...document.querySelectorAll("#canvas .labels text")].map((each) => each.textContent);
    const choose = (id, value) => {
      document.getElementById(id)[id === "view" ? "value" : "checked"] = value;
      document.getElementById(id).dispatchEvent(new Event("change"));
    };
    choose("view", "list");
    const margins = [...document.querySelectorAll("#canvas .margin")].map((each) => each.textContent);
    const ways = [...document.querySelectorAll("#canvas .ways")].map((each) => each.textContent);
    choose("missing", true);
    const kept = [...document.querySelectorAll("#canvas li .at")].map((each) => Number(each.textContent));
    choose("missing", false);
    return { wrong, named: program.missing.length, states: program.points.map((point) => point.state), ofNodes, exits, labels, margins, ways, kept,
      statements: filter.statements.length, words: document.getElementById("coverage-body").textContent };
  });
  hold(found.wrong.length === 0, `${name}: calls do not come to ${found.wrong.join(", ")}`);
  for (const [classes, words, hatch] of found.ofNodes) {
    const is = (state, says) => classes.includes(`cov-${state}`) === words.endsWith(says);
    hold(is("covered", "✓ covered") && is("not_visited", "! not visited") && is("unreachable", "- unreachable"), `${name}: ${classes} says ${words}`);
    hold(hatch === classes.includes("cov-not_visited"), `${name}: ${classes} is hatched: ${hatch}`);
  }
  hold(found.margins.length === found.statements, `${name}: ${found.margins.length} margins`);
  found.margins.forEach((margin, at) => hold(margin.startsWith("✓") === (found.states[at] === "covered"), `${name}: ${at} has ${margin}`));
  hold(found.states.every((state, at) => state === "covered" || found.kept.includes(at)), `${name}: what is not covered is left out`);
  if (every) {
    hold(found.words.includes("All that calls can come to is covered"), `${name}: ${found.words.slice(0, 300)}`);
    hold(found.exits.every((each) => each === "cov-covered"), `${name}: exits are ${found.exits}`);
  } else {
    hold(found.named > 5 && found.exits.includes("cov-not_visited") && found.exits.includes("cov-covered"), `${name}: exits are ${found.exits}`);
    if (filter.endsWith("families-00.bpf")) {  // both calls: arch == x86_64, nr < 0x40000000
      const covered = found.labels.filter((each) => each.startsWith("✓")).join();
      hold(covered === "✓ yes,✓ yes" && found.labels.includes("! no"), `${name}: labels are ${found.labels}`);
      hold(found.ways.join() === "! to 0015 not visited,! to 0004 not visited", `${name}: directions are ${found.ways}`);
    }
    await page.evaluate(() => document.querySelector("#coverage-body button").click());
    const lit = await page.$$eval("#canvas li.lit", (all) => all.length);
    hold(lit > 1 && (await page.$eval("#answers .decided", (each) => each.textContent)) !== "", `${name}: a call is put to the filters, ${lit} are lit`);
  }
  let violations = await axe(page, `${name}, listing`);
  await page.evaluate(() => {
    for (const each of document.querySelectorAll("#coverage-body details")) each.open = true;
    document.getElementById("view").value = "graph";
    document.getElementById("view").dispatchEvent(new Event("change"));
  });
  violations += await axe(page, `${name}, graph`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  hold(wide <= width, `${name}: ${wide} pixels wide`);
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
  await page.close();
  return violations;
}

const started = Date.now();
try {
  const filters = join(corpus, "filters", "containers");
  const docker = join(filters, "every_feature-default.runc-1.1.5.bpf");
  const systemd = join(corpus, "filters", "systemd-252", "x86_64");
  const stack = ["-f", docker, "-f", join(systemd, "denying-00.bpf"), "--arch", "x86_64"];
  const main = await compare("stack", stack, "x86_64", Number(callsWanted));
  await throughForm(main, stack, "x86_64", 200);
  await steps(main, stack, 20);
  await main.close();

  const arithmetic = join(out, "arithmetic.txt");
  writeFileSync(arithmetic, "17\n32 0 0 16\n7 0 0 0\n32 0 0 24\n124 0 0 0\n2 0 0 3\n32 0 0 20\n44 0 0 0\n96 0 0 3\n" +
    "172 0 0 0\n60 0 0 0\n37 0 2 1000\n84 0 0 2147418112\n22 0 0 0\n69 0 1 1\n6 0 0 2147418112\n22 0 0 0\n6 0 0 0\n");
  for (const [arch, kernel] of [["s390x", "5.10"], ["x86_64", "4.10"], ["arm", "4.19"]]) {
    await (await compare(`arithmetic-${arch}-${kernel}`, ["-f", arithmetic, "--arch", arch, "--kernel", kernel], arch, 1000)).close();
  }

  // Both themes, both widths: with an answer, as a graph and as a listing.
  let violations = 0;
  const words = ["-f", docker, "--diff", join(filters, "every_feature-sys_admin.runc-1.1.5.bpf"), "--cost", "--arch", "x86_64"];
  for (const [width, dark] of [[1280, false], [1280, true], [360, false], [360, true]]) {
    const name = `${width}-${dark ? "dark" : "light"}`;
    for (const [kind, set] of [["container", words], ["small", ["-f", join(systemd, "families-00.bpf"), "--arch", "x86_64"]]]) {
      const page = await open(`${kind}-${name}`, set, { width, dark });
      await page.evaluate(() => {
        document.getElementById("syscall").value = "socket";
        document.getElementById("arg0").value = "16";
        document.getElementById("evaluate").click();
      });
      violations += await axe(page, `${kind}, ${name}`);
      if (kind === "small") {  // arch == x86_64, nr < 0x40000000
        const lit = await page.$$eval("#canvas .labels .lit", (all) => all.map((each) => each.textContent).join());
        hold(lit === "yes,yes", `${name}: the lit exits are ${lit}`);
      }
      if (kind === "container") {
        hold(await page.evaluate(() => {
          document.querySelector("#differences-body button").click();
          return document.querySelector("#answers .compared").textContent;
        }).then((words) => words.startsWith("They differ")), `${name}: the first listed difference is none`);
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      hold(wide <= width, `${kind}, ${name}: ${wide} pixels wide`);
      await page.screenshot({ path: join(out, `${kind}-${name}.png`), fullPage: true });
      await page.close();
    }
  }
  for (const look of [{ width: 1280, dark: false }, { width: 1280, dark: true }, { width: 360, dark: false }, { width: 360, dark: true }]) {
    violations += await coverage(join(systemd, "families-00.bpf"), false, look);
  }
  violations += await coverage(join(systemd, "families-00.bpf"), true, { width: 1280, dark: true });
  violations += await coverage(join(corpus, "profiles", "docker_every_feature.json"), false, { width: 1280, dark: false });
  say(`axe: ${violations} violations`);

  const small = await open("keyboard", ["-f", docker, "--arch", "x86_64"]);
  await keyboardWalk(small);
  await small.close();

  // The longest program: it is listed, and soon.
  const longest = join(out, "longest.txt");
  writeFileSync(longest, `4096\n32 0 0 0\n${Array.from({ length: 4093 }, (_, i) => `${i % 2 ? 37 : 69} 0 ${i % 3 === 0 ? 1 : 0} ${i}`).join("\n")}\n6 0 0 2147418112\n6 0 0 0\n`);
  const before = Date.now();
  const large = await open("longest", ["-f", longest, "--arch", "x86_64"]);
  const took = Date.now() - before;
  await large.evaluate(() => {
    document.getElementById("syscall").value = "0";
    document.getElementById("evaluate").click();
  });
  hold((await large.$$eval("#canvas li.lit", (all) => all.length)) > 1000, "the listing of 4096 instructions is lit");
  say(`4096 instructions: ${took} ms to write, load and list`);
  await large.close();

  // A name that looks like markup, and a page without an engine.
  const evil = join(out, "<img src=x onerror='window.broken=1'>&lt;b>{{script}}.bpf");
  writeFileSync(evil, readFileSync(docker));
  const named = await open("named", ["-f", evil, "--arch", "x86_64"]);
  hold(await named.evaluate(() => window.broken === undefined && document.querySelector("img") === null), "a name becomes markup");
  hold((await named.$eval("h1", (each) => each.textContent)).includes("<img src=x onerror='window.broken=1'>&lt;b>{{script}}.bpf"), "a name is shown as it is");
  await named.close();
  const whole = readFileSync(join(out, "named.html"), "utf8");
  writeFileSync(join(out, "without.html"), whole.replace(/"engine":"[^"]*","engine_reason":""/, '"engine":"","engine_reason":"it was built without clang-19"'));
  const without = await openFile(join(out, "without.html"));
  hold((await without.$eval("#engine-words", (each) => each.textContent)).includes("it was built without clang-19"), "a page without an engine says why");
  hold(await without.$eval("#evaluate", (each) => each.disabled), "and its form is disabled");
  await axe(without, "without an engine");
  say(`${((Date.now() - started) / 1000).toFixed(0)} s, ${failures} failures, pages of ${(whole.length / 1024).toFixed(0)} KiB`);
} finally {
  await browser.close();
}
process.exit(failures === 0 ? 0 : 1);

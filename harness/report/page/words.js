// Numbers and words: what a reader types, and the words of `callgate run` (harness/report/words.cpp).
const report = JSON.parse(document.getElementById("report-data").textContent);
const kMask64 = (1n << 64n) - 1n;

const hex8 = (value) => "0x" + (value >>> 0).toString(16).padStart(8, "0");

// As C has it, octal after a 0, with a sign, up to 64 bits; null where it is no number.
function parseNumber(text) {
  const match = /^(-?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  if (match === null) return null;
  const value = BigInt(match[2].replace(/^0(?=[0-7])/, "0o"));
  if (value > kMask64 || (match[1] === "-" && value > 1n << 63n)) return null;
  return match[1] === "-" ? -value & kMask64 : value;
}

const archNamed = new Map(report.arches.map((row) => {
  const numbers = new Map();
  const names = new Map();
  for (let i = 0; i < row.calls.length; i += 2) {
    const name = report.names[row.calls[i]];
    const number = row.calls[i + 1];
    numbers.set(name, number);
    if (!names.has(number)) names.set(number, name);
  }
  return [row.name, { name: row.name, token: row.token, numbers, names }];
}));
const homeArch = archNamed.get(report.arch);

// The ABI that a call is of: x32 shares x86_64's token, and has bit 30.
function archOfCall(token, nr) {
  const found = report.arches.find((row) => row.token === token);
  if (found === undefined) return null;
  if (found.name === "x86_64" && ((nr & 0xc0000000) >>> 0) === 0x40000000) return archNamed.get("x32");
  return archNamed.get(found.name);
}

function callName(token, nr) {
  const name = archOfCall(token, nr)?.names.get(nr >>> 0);
  return name ?? String(nr | 0);
}

// A call's number from a name or a number; throws Error with the words.
function parseSyscall(text, arch) {
  const number = arch?.numbers.get(text);
  if (number !== undefined) return number | 0;
  const value = parseNumber(text);
  if (value !== null) {
    if (value <= 0xffffffffn || value >= 0xffffffff80000000n) return Number(BigInt.asIntN(32, value));
    throw new Error(`${text}: a syscall number has 32 bits`);
  }
  for (const other of archNamed.values()) {
    if (other.numbers.has(text)) {
      throw new Error(`${text}: ${arch?.name ?? "this token"} has no such syscall (${other.name} has); ` +
        "give a number to ask for one all the same");
    }
  }
  throw new Error(`${text}: not a syscall of any architecture, and not a number`);
}

const actionByValue = new Map(report.actions.map((row) => [row.value, row]));

function verdictWords(value, action) {
  const row = actionByValue.get(action >>> 0);
  if (row === undefined) return `${hex8(value)} (unknown)`;
  const data = value & 0xffff;
  return data === 0 && !row.always ? row.name : `${row.name}(${data})`;
}

function outcomeWords(answer, call) {
  switch (report.outcomes[answer.outcome]) {
    case "executes":
      return `returns what ${call} returns${answer.logged ? "; logged" : ""}`;
    case "returns":
      if (answer.outcomeValue < 0 && answer.outcomeValue >= -4095) {
        const name = report.errnos[-answer.outcomeValue];
        return `returns -1, ${name ?? `errno ${-answer.outcomeValue}`}`;
      }
      return `returns ${answer.outcomeValue}`;
    case "sigsys":
      return `SIGSYS is delivered, si_errno ${answer.siErrno}`;
    case "thread-dies":
      return "the thread dies";
    case "process-dies":
      return answer.signal === 9 ? "the process dies by SIGKILL" : "the process dies by SIGSYS";
    case "tracer":
      return `stops for the tracer, message ${answer.data}`;
    case "listener":
      return "waits for the listener";
    default:
      return "unknown: before Linux 3.7 the return value of an untraced TRACE is whatever the " +
        "architecture left in the register";
  }
}

// The class that colours an action by its words.
function tone(words) {
  const name = /^(?:return )?([A-Z_]+)/.exec(words)?.[1] ?? "";
  if (name === "ALLOW") return "allow";
  if (name === "LOG") return "log";
  if (name === "ERRNO") return "errno";
  if (name === "TRAP" || name === "TRACE" || name === "USER_NOTIF") return "ask";
  return name.startsWith("KILL") ? "kill" : "other";
}

const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

// An element with attributes and children; text is never taken for markup.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

const badge = (words) => make("span", { class: `badge ${tone(words)}` }, words);
const byId = (id) => document.getElementById(id);

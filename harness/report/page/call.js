// The form: a call is typed, the engine answers.
const kOther = "another token";

class CallForm {
  constructor(engine, why, flow) {
    this.engine = engine;
    this.flow = flow;
    byId("engine-words").textContent = engine !== null
      ? "Answered here, by callgate's reference interpreter compiled for the browser: what you type goes nowhere."
      : `Calls cannot be put to the filters in this page: ${why}. \`callgate run\` answers the same question.`;
    byId("arch").append(...report.arches.map((row) => make("option", { value: row.name }, row.name)),
      make("option", { value: kOther }, kOther));
    byId("arch").value = report.arch;
    for (let i = 0; i < 6; ++i) {
      byId("arguments").append(make("div", { class: "field" }, make("label", { for: `arg${i}` }, `args[${i}]`),
        make("input", { id: `arg${i}`, spellcheck: "false", placeholder: "0", "aria-describedby": "form-error" })));
    }
    byId("arguments").append(make("div", { class: "field" }, make("label", { for: "ip" }, "instruction pointer"),
      make("input", { id: "ip", spellcheck: "false", placeholder: "0", "aria-describedby": "form-error" })));
    byId("arch").addEventListener("change", () => this.archChanged());
    this.archChanged();
    byId("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    if (engine === null) for (const each of byId("form").elements) each.disabled = true;
  }

  archChanged() {
    const arch = archNamed.get(byId("arch").value);
    byId("token-field").hidden = arch !== undefined;
    byId("syscall-names").replaceChildren(...[...(arch?.numbers.keys() ?? [])].map((name) => make("option", { value: name })));
  }

  // The value of a field by `read`; null where it is wrong, which is said.
  read(id, read) {
    const field = byId(id);
    field.removeAttribute("aria-invalid");
    try {
      return read(field.value.trim());
    } catch (error) {
      if (byId("form-error").textContent === "") {
        byId("form-error").textContent = error.message;
        field.focus();
      }
      field.setAttribute("aria-invalid", "true");
      return null;
    }
  }

  call() {
    const number = (text, bits) => {
      const value = text === "" ? 0n : parseNumber(text);
      if (value === null || value >> BigInt(bits) !== 0n) throw new Error(`${text}: not a number of ${bits} bits`);
      return value;
    };
    byId("form-error").textContent = "";
    const arch = archNamed.get(byId("arch").value);
    const nr = this.read("syscall", (text) => parseSyscall(text, arch ?? null));
    const token = arch !== undefined ? arch.token : this.read("token", (text) => Number(number(text, 32)));
    const args = [];
    for (let i = 0; i < 6; ++i) args.push(this.read(`arg${i}`, (text) => number(text, 64)));
    const ip = this.read("ip", (text) => number(text, 64));
    if (byId("form-error").textContent !== "") return null;
    return { nr, token, ip, args };
  }

  // Types a call of the report into the form.
  fill(call) {
    const arch = archNamed.has(call.arch) ? call.arch : kOther;
    byId("arch").value = arch;
    this.archChanged();
    byId("token").value = `0x${call.token.toString(16)}`;
    byId("syscall").value = arch === kOther ? String(call.nr) : call.syscall;
    call.args.forEach((value, i) => { byId(`arg${i}`).value = value === "0x0" ? "" : value; });
    byId("ip").value = call.ip === "0x0" ? "" : call.ip;
  }

  submit() {
    const call = this.call();
    if (call === null) return;
    const around = { tracer: byId("tracer").checked, listener: byId("listener").checked, threads: byId("threads").checked };
    const stacks = [report.stack, ...(report.other === null ? [] : [report.other])];
    const answers = stacks.map((_, which) => this.engine.evaluate(which, call, around));
    // The steps lie in the engine's memory until the next call is put to it.
    answers.forEach((answer, which) => {
      if (answers.length > 1) this.engine.evaluate(which, call, around);
      for (const one of answer.filters) {
        const steps = one.steps();
        one.steps = () => steps;
      }
    });
    const cards = answers.map((answer, which) => this.card(call, answer, stacks[which], which));
    if (answers.length > 1) {
      const [one, two] = answers.map((answer) => said(call, answer, around));
      cards.push(make("p", { class: "compared" }, one.verdict === two.verdict
        ? `Both give ${one.verdict}.` : `They differ: ${one.verdict} here, ${two.verdict} beside.`));
    }
    byId("answers").replaceChildren(...cards);
    const first = answers[0];
    const decided = first.faultFilter >= 0 ? first.faultFilter : first.winner;
    if (decided >= 0 && Number(byId("which").value) < stacks[0].filters.length) this.flow.choose(0, decided);
    this.flow.light(answers);
  }

  card(call, answer, stack, which) {
    const words = said(call, answer);
    const card = make("article", { class: "card" });
    if (report.other !== null) card.append(make("p", { class: "of" }, which === 0 ? "These filters" : "Beside them"));
    card.append(make("p", { class: "verdict" }, make("code", {}, words.call), badge(words.verdict), make("span", { class: "outcome" }, words.outcome)));
    card.append(make("p", { class: "decided" }, words.decided(stack)));
    if (words.executed !== "") card.append(make("p", { class: "soft" }, words.executed));
    const cost = which === 0 ? costOf(call) : null;
    if (cost !== null) card.append(make("p", { class: "soft" }, cost));
    if (stack.filters.length > 1) card.append(this.results(answer, stack));
    return card;
  }

  results(answer, stack) {
    const body = make("tbody");
    for (let i = stack.filters.length; i-- > 0;) {
      const one = answer.filters[i];
      const filter = stack.filters[i];
      body.append(make("tr", {}, cell("Filter", `${i}: ${filter.name}`, "name"),
        cell("Returned", one.fault === 0 ? badge(verdictWords(one.value, actionBits(one.value))) : report.faults[one.fault]),
        cell("At instruction", `${one.last}: ${filter.statements[one.last]}`), cell("Executed", String(one.executed), "number")));
    }
    return make("div", { class: "wrap" }, make("table", { class: "rows" },
      make("caption", { class: "unseen" }, "What each filter returned, the newest first"),
      headOf(["Filter", "Returned", "At instruction", "Executed"]), body));
  }
}

// Kernels before 4.14 look at 15 bits.
const actionBits = (value) => (value & (report.old_actions ? 0x7fff0000 : 0xffff0000)) >>> 0;

// An answer in the words of `callgate run`.
function said(call, answer) {
  const name = callName(call.token, call.nr);
  if (answer.faultFilter >= 0) {
    const one = answer.filters[answer.faultFilter];
    return { call: name, verdict: "unknown", outcome: "", executed: "",
      decided: () => `unknown, because filter ${answer.faultFilter} at instruction ${one.last} makes a ${report.faults[one.fault]}` };
  }
  const executed = answer.filters.reduce((sum, one) => sum + one.executed, 0);
  const many = answer.filters.length;
  return {
    call: name,
    verdict: verdictWords(answer.value, answer.action),
    outcome: outcomeWords(answer, name),
    executed: answer.exempt ? "" : `${executed} instructions executed${many > 1 ? ` by ${many} filters` : ""}`,
    decided: (stack) => {
      if (answer.exempt) return `no filter is asked: Linux ${report.kernel} lets this call pass every filter`;
      if (answer.winner < 0) return "no filter was stricter than ALLOW";
      const filter = stack.filters[answer.winner];
      const { last } = answer.filters[answer.winner];
      return `decided by filter ${answer.winner} (${filter.name}) at instruction ${last}: ${filter.statements[last]}`;
    },
  };
}

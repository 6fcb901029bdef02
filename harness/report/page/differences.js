// A button that types a call into the form and sends it.
function putButton(form, call, label, words) {
  const button = make("button", { type: "button", class: "quiet", "aria-label": label }, words);
  button.disabled = form.engine === null;
  button.addEventListener("click", () => {
    form.fill(call);
    form.submit();
    byId("call").scrollIntoView();
    byId("call").focus({ preventScroll: true });
  });
  return button;
}

// Where the two stacks differ, as `callgate diff` finds it; each difference has a call to put to both.
function showDifferences(form) {
  const { differences } = report;
  if (differences === null) return;
  byId("differences").hidden = false;
  byId("differences-link").hidden = false;
  const to = byId("differences-body");
  to.append(make("p", {}, differences.words));
  for (const change of differences.changes) {
    const body = make("tbody");
    for (const each of change.calls) {
      const button = putButton(form, each.call, `Put ${each.call.syscall} to both`, "Put to both");
      const names = each.names.length > 0 ? each.names.join(", ") : "";
      const unnamed = each.unnamed > 0 ? plural(each.unnamed, "number") + " without a name" : "";
      const when = each.always ? "whatever the arguments" : each.condition !== "" ? each.condition : "for some arguments";
      body.append(make("tr", {}, cell("Calls", [names, unnamed].filter((words) => words !== "").join(", and "), "name"),
        cell("When", when), cell("Example", button)));
    }
    to.append(make("h3", {}, "From ", badge(change.from), " to ", badge(change.to), `: ${change.which}`),
      make("div", { class: "wrap tall", tabindex: "0", role: "region", "aria-label": `From ${change.from} to ${change.to}` },
        make("table", { class: "rows" }, make("caption", { class: "unseen" }, `Calls that got ${change.from} and get ${change.to} beside`),
          headOf(["Calls", "When", "Example"]), body)));
  }
  for (const open of differences.open) to.append(make("p", { class: "notice" }, `Not decided: ${open}`));
}

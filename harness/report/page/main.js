// Puts the page together.
function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  byId("theme").setAttribute("aria-pressed", String(dark));
}
setTheme(matchMedia("(prefers-color-scheme: dark)").matches);
byId("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme !== "dark"));

async function start() {
  showSummary();
  showCost();
  new DecisionView();
  const flow = new FlowView();
  let engine = null;
  let why = "";
  try {
    engine = await Engine.load();
  } catch (error) {
    why = error.message;
  }
  const form = new CallForm(engine, why, flow);
  showDifferences(form);
  showCoverage(form);
  // For scripts: callgate.evaluate(0, {nr: 39, token: 0xc000003e, ip: 0n, args: [1n]}).
  window.callgate = {
    report,
    form,
    evaluate: (which, call, around) => {
      if (engine === null) throw new Error(why);
      const answer = engine.evaluate(which, call, around);
      return { ...answer, words: said(call, answer) };
    },
  };
  document.documentElement.dataset.ready = engine === null ? "without-engine" : "yes";
}
start();

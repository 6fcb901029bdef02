// The engine: callgate's own reference interpreter, compiled for the browser (engine.cpp).
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

class Engine {
  constructor(exports) {
    this.exports = exports;
    this.stacks = [];
  }

  static async load() {
    if (report.engine === "") throw new Error(report.engine_reason);
    if (typeof WebAssembly !== "object") throw new Error("this browser has no WebAssembly");
    const { instance } = await WebAssembly.instantiate(bytesOf(report.engine), {});
    instance.exports._initialize?.();
    const engine = new Engine(instance.exports);
    const arch = report.arches.findIndex((row) => row.name === report.arch);
    engine.exports.set_model(...report.version, arch, report.jit ? 1 : 0);
    engine.add(0, report.stack);
    if (report.other !== null) engine.add(1, report.other);
    return engine;
  }

  add(which, stack) {
    for (const filter of stack.filters) {
      const program = bytesOf(filter.program);
      const at = this.exports.add_filter(which, program.length / 8, filter.log ? 1 : 0);
      if (at === 0) throw new Error("the stack is larger than a kernel takes");
      new Uint8Array(this.exports.memory.buffer, at, program.length).set(program);
    }
    this.stacks[which] = stack.filters.length;
  }

  // call: {nr, token, ip, args} with BigInts for ip and args.
  evaluate(which, call, around = {}) {
    const at = this.exports.call_area();
    const data = new DataView(this.exports.memory.buffer);
    data.setInt32(at, call.nr, true);
    data.setUint32(at + 4, call.token, true);
    data.setBigUint64(at + 8, call.ip, true);
    for (let i = 0; i < 6; ++i) data.setBigUint64(at + 16 + 8 * i, call.args[i] ?? 0n, true);
    this.exports.run(which, around.tracer ? 1 : 0, around.listener ? 1 : 0, around.threads ? 0 : 1);
    return this.answer(which, data);
  }

  answer(which, data) {
    let at = this.exports.answer_area();
    const next = () => data.getInt32((at += 4) - 4, true);
    const answer = {
      value: next() >>> 0, winner: next(), exempt: next() !== 0, faultFilter: next(),
      action: next() >>> 0, outcome: next(), outcomeValue: next(), signal: next(),
      coreDump: next() !== 0, logged: next() !== 0, data: next(), siErrno: next(), filters: [],
    };
    const steps = new Uint32Array(this.exports.memory.buffer, this.exports.steps_area());
    at = this.exports.filter_answers_area();
    for (let i = 0; i < this.stacks[which]; ++i) {
      const one = { value: next() >>> 0, fault: next(), last: next(), executed: next(), first: next() };
      one.steps = () => steps.slice(one.first, one.first + one.executed - (one.fault === 0 ? 0 : 1));
      answer.filters.push(one);
    }
    return answer;
  }
}

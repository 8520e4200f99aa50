// The desk's page (方案台): lays out what the kernel tells, and asks it. State lives in the kernel; nothing is computed here.
const SVG = "http://www.w3.org/2000/svg";
const PATIENCE = { choose: 8000, compare: 15000 };

function make(tag, attributes = {}, ...children) {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in out && name !== "list") out[name] = value;
    else out.setAttribute(name, value);
  }
  out.append(...children);
  return out;
}

function drawn(tag, attributes, ...children) {
  const out = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) out.setAttribute(name, value);
  out.append(...children);
  return out;
}

function picture(label, width, height, ...parts) {
  const title = drawn("title", {});
  title.textContent = label;
  return drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, title, ...parts);
}

function text(x, y, words, anchor = "start") {
  const out = drawn("text", { x, y, "text-anchor": anchor });
  out.textContent = words;
  return out;
}

function fill(select, options, value) {
  select.replaceChildren(...options.map(([id, words]) => make("option", { value: id, textContent: words })));
  select.value = value;
}

function field(words, control, note = "") {
  const label = make("label", {}, make("span", { textContent: words }), control);
  if (note) label.append(make("small", { textContent: note }));
  return label;
}

function histogram(words, given) {
  const width = 320, height = 96, floor = 78, step = width / given.before.length;
  const top = Math.max(1, ...given.before, ...given.after);
  const bars = (counts, name) => counts.map((n, i) => drawn("rect", {
    class: name, x: i * step + 1, width: Math.max(1, step - 2), y: floor - (n / top) * (floor - 12), height: (n / top) * (floor - 12),
  }));
  const at = given.goal * width;
  return picture(`${words.histogram}; ${words.goal_is} ${given.goal_is}`, width, height, ...bars(given.before, "before"),
    ...bars(given.after, "after"), drawn("line", { class: "goal", x1: at, x2: at, y1: 4, y2: floor }),
    text(Math.min(Math.max(at, 24), width - 24), height - 4, `${words.goal_is} ${given.goal_is}`, "middle"), text(0, height - 4, given.low), text(width, height - 4, given.high, "end"));
}

function curve(words, points, [cost, odds], ceiling) {
  const width = 320, height = 104, left = 34, floor = 86;
  if (!points.length) return make("p", { className: "faint", textContent: words.curve_empty });
  const most = Math.max(1, cost, ...points.map(([c]) => c)), top = Math.max(0.01, odds, ...points.map(([, p]) => p)) * 1.1;
  const x = (c) => left + (c / most) * (width - left - 8), y = (p) => floor - (p / top) * (floor - 8);
  return picture(words.curve, width, height,
    drawn("polyline", { class: "curve", points: points.map(([c, p]) => `${x(c)},${y(p)}`).join(" ") }),
    drawn("line", { class: "axis", x1: left, x2: width - 8, y1: floor, y2: floor }),
    drawn("circle", { class: "dot", cx: x(cost), cy: y(odds), r: 5 }),
    text(left - 4, floor, "0", "end"), text(left - 4, 16, `${Math.round(top * 100)}%`, "end"),
    text(width - 8, height - 4, `${Math.round(most).toLocaleString("en")} ${words.wan}`, "end"));
}

class Page {
  constructor(model, root) {
    Object.assign(this, { model, root, words: model.get("words"), number: 0, waiting: new Map(), selects: new Map() });
    root.setAttribute("data-lm-suppress-shortcuts", "true");
    root.setAttribute("lang", this.words.mu === "mu" ? "en" : "zh-CN");
    this.told = make("p", { className: "told", role: "status", "aria-live": "polite" });
    this.reopen = make("button", { type: "button", textContent: this.words.reopen, hidden: true });
    this.reopen.onclick = () => window.dispatchEvent(new CustomEvent("lyeval-desk-reopen"));
    this.body = make("div", { className: "body", hidden: true });
    this.heading = make("h1", { textContent: this.words.title });
    root.append(make("header", {}, this.heading, this.told, this.reopen), this.body);
    this.build();
    this.say(this.words.loading);
    window.addEventListener("lyeval-desk-lost", () => root.isConnected && this.silent());
    for (const name of ["form", "rows", "card", "pair", "told"]) model.on(`change:${name}`, () => this[`show_${name}`]());
    for (const name of ["form", "rows", "card", "pair"]) if (Object.keys(model.get(name)).length) this[`show_${name}`]();
    if (model.get("told").kind) this.show_told();
  }

  ask(kind, content = {}) {
    this.number += 1;
    const number = this.number;
    this.waiting.set(number, setTimeout(() => this.silent(), PATIENCE[kind] ?? 120000));
    this.root.dataset.asked = number;
    if (kind !== "choose" && kind !== "compare") this.busy(true);
    this.model.send({ kind, number, ...content });
  }

  silent() {
    this.busy(false);
    this.say(this.words.silent, true);
    this.reopen.hidden = false;
  }

  busy(on) {
    this.root.toggleAttribute("aria-busy", on);
    if (on) this.say(this.words.working);
  }

  say(words, fault = false) {
    this.told.textContent = words;
    this.told.className = fault ? "told fault" : "told";
    this.told.setAttribute("role", fault ? "alert" : "status");
  }

  change(name, value, more = {}) {
    this.ask("change", { name, value, ...more });
  }

  build() {
    const w = this.words, control = (name, more = {}) => make("input", { type: "text", inputMode: "decimal", name, autocomplete: "off", ...more });
    const select = (name) => make("select", { name, onchange: (event) => this.change(name, event.target.value) });
    this.form = { year: select("year"), target: select("target"), start: select("start") };
    for (const name of ["line", "goal"]) this.form[name] = control(name, { onchange: (event) => this.change(name, event.target.value) });
    this.readings = make("div", { className: "readings" });
    this.clause = make("small", {});
    this.goal = make("span", { textContent: w.goal });
    const asked = make("fieldset", {}, make("legend", { textContent: w.question }), field(w.year, this.form.year), field(w.target, this.form.target),
      this.clause, field(w.line, this.form.line), make("label", {}, this.goal, this.form.goal), field(w.start, this.form.start),
      make("details", {}, make("summary", { textContent: w.reading }), this.readings));
    const limits = { probability: control("probability", { value: "90" }), funds: control("funds", { placeholder: w.unlimited }), at_most: control("at_most", { placeholder: w.unlimited }) };
    const button = (name, act) => make("button", { type: "button", name, textContent: w[name], onclick: act });
    const sought = make("fieldset", {}, make("legend", { textContent: w.wanted }), ...Object.entries(limits).map(([name, one]) => field(w[name], one)),
      button("solve", () => this.ask("solve", Object.fromEntries(Object.entries(limits).map(([name, one]) => [name, one.value])))),
      button("reset", () => this.ask("reset")));
    this.name = make("input", { type: "text", name: "name", autocomplete: "off" });
    this.plans = make("select", { name: "open", onchange: (event) => event.target.value && this.ask("open", { name: event.target.value }) });
    const kept = make("fieldset", {}, make("legend", { textContent: w.save }), field(w.name, this.name), button("save", () => this.ask("save", { name: this.name.value })), field(w.open, this.plans));
    this.card = make("section", { className: "card", "aria-label": w.result });
    this.find = make("input", { type: "search", name: "find", placeholder: w.find, oninput: () => this.filter() });
    this.find.setAttribute("aria-label", w.find);
    this.table = make("tbody", {});
    const heads = ["firm", "township", "land_mu", "per_mu", "weight", "method"].map((name) => make("th", { scope: "col", textContent: w[name] }));
    const scroll = make("div", { className: "scroll", tabIndex: 0, role: "region" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), this.table));
    scroll.setAttribute("aria-label", w.list);
    this.count = make("small", {});
    const firms = make("section", { className: "firms", "aria-label": w.list }, make("div", { className: "find" }, make("h2", { textContent: w.list }), this.count, this.find), scroll);
    this.sides = ["a", "b"].map((name) => make("select", { name, onchange: () => this.ask("compare", { a: this.sides[0].value, b: this.sides[1].value }) }));
    this.pairs = make("div", { className: "pairs" });
    const compared = make("section", { className: "compared", "aria-label": w.compare }, make("h2", { textContent: w.compare }),
      make("div", { className: "sides" }, field(w.side_a, this.sides[0]), field(w.side_b, this.sides[1])), this.pairs);
    this.body.append(make("form", { className: "asked", onsubmit: (event) => event.preventDefault() }, asked, sought, kept), this.card, firms, compared);
  }

  show_form() {
    const given = this.model.get("form"), w = this.words;
    this.heading.textContent = `${given.place} · ${w.title}`;
    this.heading.title = given.policy;
    fill(this.form.year, given.years, given.year);
    fill(this.form.target, given.targets, given.target);
    fill(this.form.start, given.starts, given.start);
    this.form.line.value = given.line ?? "";
    this.form.line.disabled = given.line === null || !given.dated;
    this.form.goal.value = given.goal;
    this.form.goal.disabled = !given.dated;
    this.goal.textContent = `${w.goal} ${given.op}${given.goal_unit ? `（${given.goal_unit}）` : ""}`;
    this.clause.textContent = given.clause;
    this.readings.replaceChildren(...given.readings.map((one) => {
      const select = make("select", { name: `reading-${one.id}`, onchange: (event) => this.change("reading", event.target.value, { id: one.id }) });
      fill(select, one.options, one.value);
      const why = one.options.find(([id]) => id === one.value)?.[2] ?? "";
      return field(one.label, select, `${one.clause} ${why}`);
    }));
    fill(this.plans, [["", w.choose_plan], ...given.plans.map((name) => [name, name])], given.plan);
  }

  show_rows() {
    this.selects.clear();
    this.table.replaceChildren(...this.model.get("rows").map((row) => {
      let cell = make("span", { className: "faint", textContent: `${row.methods[0][1]} · ${this.words.closed}` });
      if (row.methods.length > 1) {
        cell = make("select", { name: row.code, onchange: (event) => this.ask("choose", { code: row.code, method: event.target.value }) });
        cell.setAttribute("aria-label", `${row.name} ${this.words.method}`);
        cell.append(...row.methods.map(([id, words, open]) => make("option", { value: id, textContent: words, title: words, disabled: !open })));
        cell.value = row.chosen;
        this.selects.set(row.code, cell);
      }
      const figures = [row.land, row.per_mu, row.weight].map((words) => make("td", { className: "figure", textContent: words }));
      return make("tr", { className: row.chosen ? "changed" : "" }, make("th", { scope: "row", textContent: row.name, title: row.code }), make("td", { textContent: row.township }), ...figures, make("td", {}, cell));
    }));
    this.filter();
  }

  filter() {
    const wanted = this.find.value.trim();
    let shown = 0;
    for (const row of this.table.rows) {
      row.hidden = wanted !== "" && !`${row.cells[0].textContent} ${row.cells[0].title} ${row.cells[1].textContent}`.includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    this.count.textContent = String(shown);
  }

  show_card() {
    const given = this.model.get("card"), w = this.words;
    if (!given.after) return;
    const fact = (words, value, name) => make("tr", {}, make("th", { scope: "row", textContent: words }), make("td", { textContent: value, className: name }));
    const after = make("output", { className: "after", textContent: given.after, name: "odds" });
    after.dataset.probability = given.probability;
    const odds = make("p", { className: "odds", "aria-live": "polite" }, make("span", { textContent: `${w.before} ${given.before}` }), make("span", { textContent: " → ", "aria-hidden": "true" }), after);
    const facts = make("table", { className: "facts" }, make("tbody", {}, fact(w.value, given.value, "value"), fact(w.ceiling, given.ceiling, "ceiling"),
      fact(w.firms, given.firms, "count"), fact(w.cost, `${given.cost}（${w.state_pays} ${given.state}）`, "cost"), fact(w.land, given.land, "land")));
    const towns = make("ul", { className: "towns" }, ...given.townships.map(([name, mu]) => make("li", {}, make("span", { textContent: name }), make("span", { className: "figure", textContent: mu }))));
    this.card.replaceChildren(make("h2", { textContent: w.odds }), odds, facts, towns,
      make("figure", {}, make("figcaption", { textContent: w.histogram }), histogram(w, given.histogram)),
      make("figure", {}, make("figcaption", { textContent: w.curve }), curve(w, given.curve, given.dot)));
    for (const [code, select] of this.selects) {
      const method = given.chosen[code] ?? "";
      if (select.value !== method) select.value = method;
      select.closest("tr").className = method ? "changed" : "";
    }
    this.body.hidden = false;
    this.root.dataset.shown = given.number;
  }

  show_pair() {
    const given = this.model.get("pair"), w = this.words;
    if (!given.names) return;
    [given.a, given.b].forEach((side, i) => fill(this.sides[i], given.names, side));
    if (given.fault) return this.pairs.replaceChildren(make("p", { className: "told fault", textContent: given.fault }));
    const line = (words, key) => make("tr", {}, make("th", { scope: "row", textContent: words }), ...given.figures.map((one) => {
      const cell = make("td", { className: "figure", textContent: String(one[key]) });
      if (key === "odds") cell.dataset.probability = one.probability;
      return cell;
    }));
    const head = (...names) => make("thead", {}, make("tr", {}, ...names.map((name) => make(name ? "th" : "td", name ? { scope: "col", textContent: name } : {}))));
    const figures = make("table", { className: "figures" }, head("", w.side_a, w.side_b), make("tbody", {}, line(w.odds, "odds"), line(w.middle, "value"), line(w.cases, "cases"), line(w.money, "cost")));
    const names = given.differs.map((row) => make("tr", {}, make("th", { scope: "row", textContent: row[0] }), make("td", { textContent: row[1] }), make("td", { textContent: row[2] })));
    const who = make("div", {}, make("p", { textContent: given.told }), ...(names.length ? [make("table", { className: "differs" }, head(w.firm, w.side_a, w.side_b), make("tbody", {}, ...names))] : []));
    this.pairs.replaceChildren(figures, who);
  }

  show_told() {
    const given = this.model.get("told");
    for (const [number, timer] of this.waiting) if (number <= given.number) { clearTimeout(timer); this.waiting.delete(number); }
    this.reopen.hidden = true;
    this.root.toggleAttribute("aria-busy", this.waiting.size > 0);
    if (given.kind !== "compare") this.say(given.text, given.fault);
    if (given.fault && given.kind !== "load") { this.show_form(); this.show_card(); }
    this.root.dataset.answered = given.number;
  }
}

export default {
  render({ model, el }) {
    el.classList.add("lyeval-desk");
    new Page(model, el);
  },
};

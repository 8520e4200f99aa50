"use strict";
document.querySelectorAll("table.sortable").forEach(function (table) {
  var body = table.tBodies[0], original = Array.from(body.rows), words = document.body.dataset;
  if (original.length < 2) return;
  var collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  function read(row, column) {
    var text = row.cells[column].textContent.trim();
    var number = Number(text.replace(/[,%]/g, "").replace("\u2212", "-"));
    return { text: text, number: number, missing: text === "\u2014" };
  }
  function compare(a, b, numeric) {
    if (a.missing || b.missing) return null;
    return numeric ? a.number - b.number : collator.compare(a.text, b.text);
  }
  function sort(column, direction) {
    var keyed = original.map(function (row) { return { row: row, key: read(row, column) }; });
    var numeric = keyed.every(function (k) { return k.key.missing || !Number.isNaN(k.key.number); });
    if (direction) keyed.sort(function (a, b) {
      var order = compare(a.key, b.key, numeric);
      return order === null ? a.key.missing - b.key.missing : direction * order;
    });
    keyed.forEach(function (k) { body.appendChild(k.row); });
  }
  Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.append.apply(button, Array.from(head.childNodes));
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", function () {
      var next = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")];
      Array.from(table.tHead.rows[0].cells).forEach(function (other) { other.setAttribute("aria-sort", "none"); });
      head.setAttribute("aria-sort", next);
      sort(column, { none: 0, ascending: 1, descending: -1 }[next]);
    });
  });
  var bar = document.createElement("div"), label = document.createElement("label"), input = document.createElement("input"), count = document.createElement("output");
  bar.className = "filter";
  input.type = "search";
  input.placeholder = words.hint;
  count.setAttribute("aria-live", "polite");
  label.append(words.filter + " ", input);
  bar.append(label, count);
  function filter() {
    var parts = input.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
    original.forEach(function (row) {
      var text = row.textContent.toLowerCase();
      row.hidden = !parts.every(function (part) { return text.includes(part); });
      shown += !row.hidden;
    });
    count.textContent = words.shown.replace("{}", shown).replace("{}", original.length);
  }
  input.addEventListener("input", filter);
  filter();
  table.closest(".scroll").before(bar);
});

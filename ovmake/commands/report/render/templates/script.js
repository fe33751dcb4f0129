// Make tables sortable, and add a filter and tooltips. Without JavaScript the page is complete, without these controls.
(() => {
  "use strict";
  const value = (row, at) => {
    const cell = row.cells[at];
    const given = cell.dataset.sort;
    return given === undefined ? cell.textContent.trim() : given === "" ? NaN : Number(given);
  };
  // Figures that were not measured come last in both directions.
  const compare = (a, b) => {
    if (typeof a === "number" || typeof b === "number") {
      return Number.isNaN(a) ? (Number.isNaN(b) ? 0 : Infinity) : Number.isNaN(b) ? -Infinity : a - b;
    }
    return a.localeCompare(b, undefined, { numeric: true });
  };
  const sort = (table, at, button) => {
    const heads = [...table.tHead.rows[0].cells];
    const down = heads[at].getAttribute("aria-sort") === "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[at].setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [value(row, at), row]);
    rows.sort(([a], [b]) => {
      const found = compare(a, b);
      return Math.abs(found) === Infinity ? found : down ? -found : found;
    });
    body.append(...rows.map(([, row]) => row));
    button.focus();
  };
  document.querySelectorAll("table.sortable").forEach((table) => {
    [...table.tHead.rows[0].cells].forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, at, button));
    });
  });
  document.querySelectorAll("[data-filters]").forEach((place) => {
    const table = document.getElementById(place.dataset.filters);
    const label = document.createElement("label");
    const field = document.createElement("input");
    const count = document.createElement("span");
    field.type = "search";
    count.className = "quiet";
    count.setAttribute("role", "status");
    label.append("Show targets with ", field);
    place.append(label, count);
    const rows = [...table.tBodies[0].rows];
    const text = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        row.hidden = !wanted.every((word) => text.get(row).includes(word));
        shown += row.hidden ? 0 : 1;
      }
      count.textContent = wanted.length ? `${shown} of ${rows.length}` : "";
    });
  });
  // Show the figures of a mark at once, also on touch screens. Browsers show its <title> only after a delay.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  const show = (event) => {
    const mark = event.target.closest ? event.target.closest("[data-figures]") : null;
    tip.hidden = !mark;
    if (!mark) return;
    tip.textContent = mark.dataset.figures;
    const box = mark.getBoundingClientRect();
    const left = Math.min(box.left + window.scrollX, window.scrollX + document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${box.bottom + window.scrollY + 6}px`;
  };
  document.addEventListener("pointerover", show);
  document.addEventListener("pointerdown", show);
})();

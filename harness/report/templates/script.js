"use strict";
(() => {
  const ORDER = ["na", "fa", "br", "no", "bl", "un"];
  const find = (id) => document.getElementById(id);
  const body = find("table").tBodies[0];
  const rows = [...body.rows];
  const [text, family, verdict] = ["by-text", "by-family", "by-verdict"].map(find);

  // of many adapters the evidence stands on pages of its own
  const section = (row) => find(decodeURIComponent(row.cells[0].firstElementChild.hash.slice(1))) || {};

  const matches = (row) =>
    row.cells[0].textContent.toLowerCase().includes(text.value.trim().toLowerCase()) &&
    (!family.value || row.cells[1].textContent === family.value) &&
    (!verdict.value || [...row.cells].some((cell) => cell.className === verdict.value));

  const filter = () => {
    let shown = 0;
    for (const row of rows) {
      const keep = matches(row);
      row.hidden = !keep;
      section(row).hidden = !keep;
      shown += keep;
    }
    find("none").hidden = shown > 0;
    find("count").textContent = `${shown} of ${rows.length} adapters shown`;
  };

  const keys = {
    text: (cell) => cell.textContent.toLowerCase(),
    number: (cell) => -parseInt(cell.textContent, 10),
    verdict: (cell) => ORDER.indexOf(cell.className),
  };

  const sort = (head) => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = keys[head.dataset.sort];
    const value = new Map(rows.map((row) => [row, key(row.cells[head.cellIndex])]));
    const compare = (a, b) => (value.get(a) < value.get(b) ? -1 : value.get(a) > value.get(b) ? 1 : 0);
    body.append(...[...rows].sort((a, b) => (up ? compare(a, b) : compare(b, a))));
  };

  const reveal = () => {
    let target = null;
    try {
      target = find(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return;
    }
    if (!target || !target.closest("#evidence")) return;
    const owner = target.closest(".adapter");
    if (owner && owner.hidden) {
      text.value = family.value = verdict.value = "";
      filter();
    }
    if (target.matches("details")) {
      target.open = true;
      target.firstElementChild.focus({ preventScroll: true });
    }
    target.scrollIntoView();
  };

  for (const head of find("table").tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(head));
    head.replaceChildren(button);
  }
  for (const input of [text, family, verdict]) input.addEventListener("input", filter);
  const all = (open) => {
    for (const each of document.querySelectorAll(".adapter:not([hidden]) details")) each.open = open;
  };
  find("controls").hidden = false;
  if (find("all")) {
    find("open").addEventListener("click", () => all(true));
    find("close").addEventListener("click", () => all(false));
    find("all").hidden = false;
  }
  addEventListener("hashchange", reveal);
  addEventListener("load", () => setTimeout(reveal)); // a browser moves the focus itself once the page is there
  filter();
  reveal();
})();

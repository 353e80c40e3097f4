// What the page can do beyond being read: sort and filter tables, show costs relative to a model, name the points of figures, and
// change its colours. Without this script, the page has every row and every number.
"use strict";
(() => {
  const all = (selector, of = document) => [...of.querySelectorAll(selector)];

  // Colours. They are set before the page is drawn, so that it does not flash.
  const COLOURS = "bakeoff-colours";
  // A page that is read from a file may have no storage. Then even looking for it may throw.
  const storage = (use) => {
    try { return use(window.localStorage); } catch { return null; }
  };
  const showColours = (name) => { document.documentElement.style.colorScheme = name === "auto" ? "" : name; };
  const known = (name) => (["light", "dark"].includes(name) ? name : "auto");
  const remembered = known(storage((stored) => stored.getItem(COLOURS)));
  showColours(remembered);

  function startColours() {
    const label = document.querySelector(".colours");
    const select = label.querySelector("select");
    select.value = remembered;
    label.hidden = false;
    select.addEventListener("change", () => {
      showColours(select.value);
      storage((stored) => stored.setItem(COLOURS, select.value));
    });
  }

  // Sorting.
  const collator = new Intl.Collator("en", { numeric: true });
  const other = { ascending: "descending", descending: "ascending" };

  function startSorting(table) {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 2) return;
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.dataset.first ?? "ascending";
        const next = { [first]: other[first], [other[first]]: "" }[head.getAttribute("aria-sort")] ?? first;
        for (const each of heads) each.removeAttribute("aria-sort");
        if (next) head.setAttribute("aria-sort", next);
        table.tBodies[0].append(...(next ? sorted(rows, column, next) : rows));
      });
    });
  }

  // The rows in the order of a column. Rows without a number, or without a text if the column has no numbers, come last.
  function sorted(rows, column, direction) {
    const isNumeric = rows.some((row) => row.cells[column].dataset.sort !== undefined);
    const key = ({ dataset, textContent }) => (isNumeric ? Number(dataset.sort ?? NaN) : textContent.trim());
    const isEmpty = (key) => (isNumeric ? Number.isNaN(key) : key === "");
    const sign = direction === "ascending" ? 1 : -1;
    const order = (a, b) => {
      if (isEmpty(a) || isEmpty(b)) return isEmpty(a) - isEmpty(b);
      return sign * (isNumeric ? a - b : collator.compare(a, b));
    };
    const keyed = rows.map((row) => [row, key(row.cells[column])]);
    return keyed.sort(([, a], [, b]) => order(a, b)).map(([row]) => row);
  }

  // Filters, and costs that are relative to a model. Both follow the same form.
  function startControls(form) {
    const rows = all("tbody tr");
    const textOf = (row) => [row.dataset.setting ?? "", row.dataset.model ?? "", ...all("td, th", row).map((cell) => cell.textContent)];
    const texts = new Map(rows.map((row) => [row, textOf(row).join(" ").toLowerCase()]));
    const results = all(".setting").map((section) => ({ section, table: section.querySelector("table"), rows: all("tbody tr[data-model]", section) }));
    const update = () => {
      filter(form, rows, texts);
      for (const { section, rows } of results) section.hidden = rows.every((row) => row.hidden);
      for (const box of all(".wide:has(table)")) box.toggleAttribute("data-empty", all("tbody tr", box).every((row) => row.hidden));
      const shown = results.flatMap(({ rows }) => rows).filter((row) => !row.hidden).length;
      const of = results.reduce((sum, { rows }) => sum + rows.length, 0);
      document.getElementById("shown").textContent = `The results show ${shown} of ${of} rows. ${relate(results, form.reference.value)}`;
    };
    form.hidden = false;
    form.addEventListener("input", update);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(update));
    form.addEventListener("click", ({ target }) => {
      if (!target.dataset.check) return;
      for (const box of all("input", target.closest("fieldset"))) box.checked = target.dataset.check === "all";
      update();
    });
    update();
  }

  // Hides the rows that are not chosen. A row that is about no model is hidden by the search only.
  function filter(form, rows, texts) {
    const choices = all("[data-choice]", form).map((group) => {
      const boxes = all("input", group);
      const checked = boxes.filter((box) => box.checked).map((box) => box.value);
      group.querySelector(".chosen").textContent = checked.length === boxes.length ? "all" : `${checked.length} of ${boxes.length}`;
      return [group.dataset.choice, new Set(checked)];
    });
    const words = form.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const isChosen = choices.every(([attribute, names]) => !(attribute in row.dataset) || names.has(row.dataset[attribute]));
      row.hidden = !isChosen || !words.every((word) => texts.get(row).includes(word));
    }
  }

  // Divides the costs of each setting by those of a model there, if its row is shown. Says what is shown.
  function relate(results, model) {
    const baseOf = ({ rows }) => rows.find((row) => model && row.dataset.model === model && !row.hidden);
    for (const result of results) {
      const base = baseOf(result);
      for (const head of all("th[data-cost]", result.table)) {
        const divisor = base ? Number(base.cells[head.cellIndex].dataset.sort ?? NaN) : NaN;
        const isRelative = divisor > 0;
        markRelative(head, isRelative);
        for (const row of result.rows) showCost(row.cells[head.cellIndex], isRelative ? divisor : null);
      }
    }
    if (!model) return "";
    const shown = results.filter(({ section }) => !section.hidden);
    const without = shown.filter((result) => !baseOf(result)).map(({ section }) => section.querySelector("h3").textContent);
    if (without.length === shown.length) return `Costs are absolute, because no row of ${model} is shown.`;
    const absolute = without.length ? ` They are absolute on ${without.join(", ")}, where no row of ${model} is shown.` : "";
    return `Costs marked × are relative to ${model}.${absolute}`;
  }

  function markRelative(head, isRelative) {
    const mark = head.querySelector(".times");
    if (isRelative && !mark) {
      const added = document.createElement("span");
      added.className = "times";
      added.textContent = " ×";
      (head.querySelector("button") ?? head).append(added);
    } else if (!isRelative) {
      mark?.remove();
    }
  }

  function showCost(cell, divisor) {
    if (cell.dataset.sort === undefined || (divisor === null && cell.dataset.absolute === undefined)) return;
    cell.dataset.absolute ??= cell.textContent;
    cell.textContent = divisor === null ? cell.dataset.absolute : `${threeDigits(Number(cell.dataset.sort) / divisor)} ×`;
  }

  // Three significant digits without an exponent, as the other numbers of the page have them.
  function threeDigits(number) {
    const rounded = Number(number.toPrecision(3));
    const decimals = rounded > 0 ? Math.max(0, 2 - Math.floor(Math.log10(rounded))) : 0;
    return rounded.toFixed(Math.min(decimals, 20));
  }

  // The points of figures. A figure is one stop of the tab key, and the arrow keys go through its points.
  function startPoints() {
    const box = document.createElement("div");
    box.id = "point";
    box.hidden = true;
    box.setAttribute("aria-hidden", "true");
    document.body.append(box);
    const hide = () => { box.hidden = true; };
    const show = (point) => {
      box.textContent = point.getAttribute("aria-label");
      box.hidden = false;
      const at = point.getBoundingClientRect();
      const left = Math.min(at.right + 4, document.documentElement.clientWidth - box.offsetWidth - 4);
      const above = at.top - box.offsetHeight - 4;
      box.style.left = `${Math.max(4, left)}px`;
      box.style.top = `${above > 4 ? above : at.bottom + 4}px`;
    };
    for (const svg of all("figure svg")) {
      const points = all(".points > *", svg);
      if (points.length === 0) continue;
      // Browsers would show these titles a second time.
      for (const element of [svg, ...points]) {
        const title = element.querySelector(":scope > title");
        element.setAttribute("aria-label", title.textContent);
        title.remove();
      }
      svg.setAttribute("role", "group");
      points.forEach((point, index) => {
        point.setAttribute("role", "img");
        point.setAttribute("tabindex", index === 0 ? "0" : "-1");
        for (const event of ["pointerenter", "focus"]) point.addEventListener(event, () => show(point));
        for (const event of ["pointerleave", "blur"]) point.addEventListener(event, hide);
        point.addEventListener("keydown", (event) => {
          const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
          if (event.key === "Escape") hide();
          if (!step) return;
          event.preventDefault();
          const next = points[(index + step + points.length) % points.length];
          point.setAttribute("tabindex", "-1");
          next.setAttribute("tabindex", "0");
          next.focus();
        });
      });
    }
    addEventListener("scroll", hide, { passive: true });
  }

  document.addEventListener("DOMContentLoaded", () => {
    startColours();
    all("table").forEach(startSorting);
    const form = document.getElementById("controls");
    if (form) startControls(form);
    startPoints();
  });
})();

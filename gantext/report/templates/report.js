// Everything on the page is there without this script; it adds the theme buttons, sorting and
// copying. It runs in <head>, so that a remembered theme is set before anything is painted.
"use strict";
(() => {
  const KEY = "gantext-report-theme";
  const root = document.documentElement;
  let theme = "auto";
  try {
    theme = localStorage.getItem(KEY) || "auto";
  } catch {
    // A browser may refuse storage to a file: the choice then lasts until the page is left.
  }

  function showTheme() {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    for (const button of document.querySelectorAll("[data-sets-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setsTheme === theme));
    }
  }

  function addThemeButtons() {
    for (const button of document.querySelectorAll("[data-sets-theme]")) {
      button.addEventListener("click", () => {
        theme = button.dataset.setsTheme;
        try {
          localStorage.setItem(KEY, theme);
        } catch {
          // As above.
        }
        showTheme();
      });
    }
    for (const group of document.querySelectorAll(".theme")) group.hidden = false;
    showTheme();
  }

  // "0.804 ± 0.005" -> 0.804, "−1,500" -> -1500, "24.6x" -> 24.6; null where there is no number.
  function number(text) {
    const plain = text.trim().replace(/[\u2212\u2013]/g, "-").replace(/(\d),(?=\d{3})/g, "$1");
    const found = plain.match(/^[<>~≈≤≥]?\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)/i);
    if (found) return Number(found[1]);
    const infinite = plain.match(/^([-+]?)(?:inf|∞)/i);
    return infinite ? (infinite[1] === "-" ? -Infinity : Infinity) : null;
  }

  // Rows by a column: a column of numbers by value, its other cells (a dash, nan) last both ways.
  function sorted(rows, column, words, sign) {
    const keyed = rows.map((row) => {
      const text = row.cells[column].textContent;
      return { row, text, value: words ? null : number(text) };
    });
    keyed.sort((a, b) => {
      if (words) return sign * a.text.localeCompare(b.text, undefined, { numeric: true });
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
      return a.value === b.value ? 0 : sign * (a.value < b.value ? -1 : 1);
    });
    return keyed.map((key) => key.row);
  }

  // A header becomes a button: ascending, descending, as it was.
  function makeSortable(table) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const headers = [...table.tHead.rows[0].cells];
    if (rows.length < 2) return;
    headers.forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const old = header.getAttribute("aria-sort");
        const order = { ascending: "descending", descending: null }[old];
        for (const other of headers) other.removeAttribute("aria-sort");
        if (order === null) return body.append(...rows);
        header.setAttribute("aria-sort", order || "ascending");
        const words = !header.classList.contains("number");
        body.append(...sorted(rows, column, words, order ? -1 : 1));
      });
    });
  }

  function addCopyButton(button) {
    const source = document.getElementById(button.dataset.copies);
    const status = button.parentElement.querySelector("[role=status]");
    button.parentElement.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        status.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source);
        status.textContent = "Selected: copy it with Ctrl+C or Cmd+C";
      }
    });
  }

  // A table that fits needs no stop of the Tab key; one that scrolls does.
  const fits = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });

  showTheme();
  document.addEventListener("DOMContentLoaded", () => {
    addThemeButtons();
    document.querySelectorAll("table").forEach(makeSortable);
    document.querySelectorAll("[data-copies]").forEach(addCopyButton);
    document.querySelectorAll(".scroll").forEach((box) => fits.observe(box));
  });
})();

// Keys that work on every page, screens on the wall that pause, and buttons that copy.
"use strict";
(() => {
  const isTyping = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !isTyping(event.target)) {
      const field = document.querySelector(".find input");
      if (field) {
        event.preventDefault();
        field.focus();
        field.select();
      }
    }
    if (["ArrowDown", "ArrowUp"].includes(event.key) && !isTyping(event.target)) step(event);
  });

  // From the link of one row to that of the next.
  function step(event) {
    const links = [...document.querySelectorAll("table.walk tbody th[scope=row] a")].filter((one) => one.offsetParent);
    if (links.length === 0) return;
    const at = links.indexOf(document.activeElement);
    const next = event.key === "ArrowDown" ? at + 1 : at - 1;
    if (next < 0 || next >= links.length) return;
    event.preventDefault();
    links[next].focus();
  }

  // A menu that is wider than a phone begins where the reader is.
  document.querySelector(".bar nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  // A screen on the wall stays with its slide while it is paused, by its button or by the space bar.
  const pause = document.querySelector("[data-pauses]");
  if (pause) {
    let isPaused = false;
    const turn = () => {
      isPaused = !isPaused;
      pause.textContent = isPaused ? "Go on" : "Pause";
    };
    pause.hidden = false;
    pause.addEventListener("click", turn);
    document.addEventListener("keydown", (event) => {
      if (event.key !== " " || event.target.closest("a, button, summary")) return;
      event.preventDefault();
      turn();
    });
    document.addEventListener("htmx:beforeRequest", (event) => {
      if (isPaused) event.preventDefault();
    });
  }

  // Blank fields say nothing, and days say that they stand in place of a period: the URL stays short.
  document.addEventListener("formdata", (event) => {
    if (event.target.method !== "get") return;
    const said = event.formData;
    for (const [name, value] of [...said.entries()]) {
      if (value === "") said.delete(name);
    }
    if (said.get("period") === "range" && (said.has("since") || said.has("until"))) said.delete("period");
  });

  // What is to be copied can be selected by hand too; a browser without a clipboard for this page copies the selection.
  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text.textContent);
    getSelection().selectAllChildren(text);
    document.execCommand("copy");
  }

  for (const button of document.querySelectorAll("[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await copy(document.getElementById(button.dataset.copies));
      button.textContent = "Copied";
    });
  }

  // The figures of a chart are all there: what spreadsheets take of them is made here, with a mark that says UTF-8.
  function csvOf(table) {
    const isNumber = (text) => /^[-+]?[0-9.,\u2009]+( ?%)?$/.test(text);
    const cellOf = (cell) => {
      const text = cell.textContent.trim();
      const said = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) && !isNumber(text) ? `'${text}` : text;
      return `"${said.replaceAll('"', '""')}"`;
    };
    const lines = [...table.rows].map((row) => [...row.cells].map(cellOf).join(","));
    return `\ufeff${lines.join("\r\n")}\r\n`;
  }

  document.addEventListener("toggle", (event) => {
    const figures = event.target;
    if (!figures.matches("details.figures") || !figures.open || figures.querySelector("[data-takes]")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm";
    button.dataset.takes = "";
    button.textContent = "CSV for spreadsheets";
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([csvOf(figures.querySelector("table"))], { type: "text/csv" }));
      link.download = `${figures.closest("figure").querySelector("h2").textContent.trim()}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
    figures.append(button);
  }, true);
})();

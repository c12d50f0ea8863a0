// Report files are sent one by one, each with its progress, and may be dropped onto the form. Without this they are sent
// as any form is.
"use strict";
(() => {
  const form = document.querySelector("form[data-sends]");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const zone = form.querySelector(".drop-zone");
  const buttons = [...form.querySelectorAll("button")];
  const outcomes = document.getElementById("outcomes");
  const rows = outcomes.querySelector("tbody");
  const status = document.getElementById("sending");

  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.dataset.over = "";
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => delete zone.dataset.over);
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length > 0) input.files = event.dataTransfer.files;
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const files = [...input.files].map((file) => ({ file, row: waiting(file) }));
    const said = new FormData(form, event.submitter);
    const isPreview = said.has("preview");
    for (const one of buttons) one.disabled = true;
    outcomes.hidden = false;
    outcomes.scrollIntoView({ block: "nearest" });
    rows.replaceChildren(...files.map((one) => one.row));
    form.querySelector(".stated .lacking").hidden = true;
    addEventListener("beforeunload", keep);
    for (const [at, { file, row }] of files.entries()) {
      status.textContent = `${isPreview ? "Trying" : "Importing"} file ${at + 1} of ${files.length}`;
      await send(file, row, said);
    }
    removeEventListener("beforeunload", keep);
    status.textContent = files.length === 1 ? "The file has been sent" : `${files.length} files have been sent`;
    if (!isPreview) input.value = "";
    for (const one of buttons) one.disabled = false;
  });

  function keep(event) {
    event.preventDefault();
  }

  // A row that says what is under way, until one of the server's takes its place.
  function waiting(file) {
    const row = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = file.name;
    const cell = document.createElement("td");
    cell.colSpan = 3;
    cell.textContent = "Waiting";
    row.append(name, cell);
    return row;
  }

  function refuse(row, reason) {
    const badge = document.createElement("span");
    badge.className = "outcome";
    badge.dataset.outcome = "FAIL";
    badge.textContent = "not sent";
    const why = document.createElement("span");
    why.className = "reason";
    why.textContent = reason;
    row.lastChild.replaceChildren(badge, why);
  }

  function send(file, row, said) {
    if (file.size > Number(form.dataset.mostBytes)) {
      refuse(row, form.dataset.tooLarge);
      return Promise.resolve();
    }
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", `Sending ${file.name}`);
    const step = document.createElement("span");
    step.textContent = "Sending";
    row.lastChild.replaceChildren(bar, " ", step);
    const body = new FormData();
    for (const [name, value] of said.entries()) if (typeof value === "string") body.append(name, value);
    body.append(input.name, file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.responseType = "document";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) Object.assign(bar, { max: event.total, value: event.loaded });
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value");
      step.textContent = said.has("preview") ? "Reading" : "Reading and recording";
    });
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => {
        show(row, request.response);
        resolve();
      });
      request.send(body);
    });
  }

  function show(row, page) {
    const told = [...(page?.querySelectorAll("#outcomes tbody tr") ?? [])];
    if (told.length === 0) {
      const why = page?.querySelector(".problems, main h1 + p, main h1")?.textContent.trim();
      refuse(row, why || "The server did not answer. Send the file again.");
      return;
    }
    row.replaceWith(...told.map((one) => document.adoptNode(one)));
    for (const part of [".tabs", "#imported"]) {
      document.querySelector(part).replaceWith(document.adoptNode(page.querySelector(part)));
    }
    const lacking = page.querySelector(".stated .lacking:not([hidden])");
    if (lacking) {
      form.querySelector(".stated").open = true;
      form.querySelector(".stated .lacking").replaceWith(document.adoptNode(lacking));
    }
  }
})();

// Filters: what is chosen applies without a button, and the focus stays where it is.
"use strict";
(() => {
  // How long the keyboard rests on a choice before it applies.
  const PAUSE_MS = 1000;

  const formOf = (target) => target.closest?.("form[data-submits]");

  // An arrow changes these at each step, so by keys they apply on Enter, when they are left, or after a pause.
  const isStepped = (field) => field.matches("select, input[type=date], input[type=datetime-local], input[type=number]");

  let lastKey = ""; // empty: the mouse, or a finger
  let waiting = null;
  let timer = 0;

  function forget() {
    clearTimeout(timer);
    waiting = null;
  }

  function apply(form) {
    forget();
    if (form.isConnected) form.requestSubmit();
  }

  function wait(form, field) {
    forget();
    waiting = form;
    // A day is typed in parts, each of which makes another day.
    if (field.matches("select")) timer = setTimeout(apply, PAUSE_MS, form);
  }

  // Whether days were asked for and none is named yet.
  function asksForDays(form, field) {
    const days = form.querySelector(".days");
    if (!days || field.name !== "period") return false;
    const isRange = field.value === "range";
    days.hidden = days.disabled = !isRange;
    return isRange && [...days.querySelectorAll("input")].every((one) => one.value === "");
  }

  // Enter in a text both changes it and sends the form: that is one wish, so what is under way is not sent again.
  let asked = null;
  document.addEventListener(
    "submit",
    (event) => {
      const form = formOf(event.target);
      if (!form) return;
      const query = new URLSearchParams(new FormData(form)).toString();
      if (asked?.form === form && asked.query === query) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      asked = { form, query };
    },
    true,
  );

  document.addEventListener("pointerdown", () => (lastKey = ""), true);
  document.addEventListener(
    "keydown",
    (event) => {
      lastKey = event.key;
      if (event.key !== "Enter" || !waiting || formOf(event.target) !== waiting) return;
      event.preventDefault();
      apply(waiting);
    },
    true,
  );
  document.addEventListener("change", (event) => {
    const form = formOf(event.target);
    if (!form) return;
    if (asksForDays(form, event.target)) forget();
    else if (isStepped(event.target) && !["", "Enter"].includes(lastKey)) wait(form, event.target);
    else apply(form);
  });
  document.addEventListener("focusout", (event) => {
    if (waiting && formOf(event.target) === waiting) apply(waiting);
  });

  const filtering = (event) => event.detail.requestConfig?.elt.matches?.("form[data-submits]");
  const opened = (box) => [...box.querySelectorAll("details[open]")].map((one) => one.id || one.parentElement.id);
  const isLike = (one) => (other) => other.tagName === one.tag && other.textContent.trim() === one.text;
  let left = null;

  // A request that a newer one replaced has no status.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (filtering(event) && event.detail.xhr.status) asked = null;
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!filtering(event)) return;
    const { xhr, pathInfo, target } = event.detail;
    const asked = new URL(pathInfo.finalRequestPath, location.href);
    asked.hash = "";
    if (xhr.status !== 200 || xhr.responseURL !== asked.href) {
      // An error, or a log-in: a page of its own.
      event.detail.shouldSwap = false;
      location.assign(asked);
      return;
    }
    const active = document.activeElement;
    left = { open: opened(target), focus: null };
    if (target.contains(active)) left.focus = { id: active.id, tag: active.tagName, text: active.textContent.trim() };
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (!left || !filtering(event)) return;
    const box = document.getElementById(event.target.id) ?? document;
    for (const one of box.querySelectorAll("details")) {
      if (left.open.includes(one.id || one.parentElement.id)) one.open = true;
    }
    const { focus } = left;
    left = null;
    if (!focus) return;
    const same = focus.id ? document.getElementById(focus.id) : [...box.querySelectorAll(focus.tag)].find(isLike(focus));
    if (same && same !== document.activeElement) same.focus({ preventScroll: true });
  });

  // Without an answer the browser says why, unless the reader goes elsewhere, for which some browsers end requests.
  let isLeaving = false;
  addEventListener("beforeunload", () => (isLeaving = true));
  addEventListener("pageshow", () => {
    isLeaving = false;
    asked = null;
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (filtering(event) && !isLeaving) location.assign(event.detail.pathInfo.finalRequestPath);
  });
})();

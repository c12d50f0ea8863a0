// Before anything is drawn: light or dark, and the reader's time zone for the server.
"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => document.cookie.match(/(?:^|; )runcard_theme=(light|dark)/)?.[1];
  const show = () => {
    document.documentElement.dataset.bsTheme = chosen() ?? (dark.matches ? "dark" : "light");
  };
  show();
  dark.addEventListener("change", show);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
  document.cookie = `runcard_zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;
})();

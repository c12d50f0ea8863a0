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
  const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC");
  const known = () => document.cookie.match(/(?:^|; )runcard_zone=([^;]*)/)?.[1];
  const before = known();
  document.cookie = `runcard_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  // The server made this page for another zone: that of a reader who has travelled since.
  if (before !== undefined && before !== zone && known() === zone) location.reload();
})();

// Draws the charts that the server computed: options come as JSON, colours as names of the style sheet's.
"use strict";
(() => {
  const drawn = new Map();

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Charts grow with the letters of the page, which grow with the screen; options are made for letters of 16 px.
  const scale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const lengths = new Set(["left", "right", "top", "bottom", "width", "height", "nameGap", "barMaxWidth", "boxWidth", "symbolSize"]);

  // An option as ECharts takes it: colours by value, lengths in scale, and "{value} %" as what writes a value.
  function prepared(value, name) {
    if (typeof value === "number") return lengths.has(name) ? value * scale() : value;
    if (typeof value === "string") {
      if (name === "valueFormatter") return (one) => (one == null ? "–" : value.replace("{value}", one));
      return value.startsWith("--") ? colour(value) : value;
    }
    if (Array.isArray(value)) return value.map((one) => prepared(one, name));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, prepared(one, key)]));
    }
    return value;
  }

  // The end of a long name is often what tells it from the next.
  const short = (name) => (name.length > 28 ? `${name.slice(0, 14)}…${name.slice(-12)}` : name);

  const letters = (name) => ({ color: colour(name), fontSize: 12 * scale() });

  const axis = () => ({
    axisLine: { lineStyle: { color: colour("--line") } },
    axisTick: { lineStyle: { color: colour("--line") } },
    axisLabel: { ...letters("--soft"), hideOverlap: true },
    nameTextStyle: letters("--soft"),
    splitLine: { lineStyle: { color: colour("--line") } },
  });

  function theme() {
    const axes = axis();
    return {
      color: ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6", "--series-7"].map(colour),
      backgroundColor: "transparent",
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour("--text") },
      legend: { textStyle: letters("--soft"), formatter: short, tooltip: { show: true } },
      tooltip: {
        backgroundColor: colour("--surface"),
        borderColor: colour("--line"),
        textStyle: letters("--text"),
      },
      categoryAxis: axes,
      // As tables write values: without commas.
      valueAxis: { ...axes, axisLabel: { ...axes.axisLabel, formatter: String } },
      timeAxis: axes,
      logAxis: axes,
    };
  }

  function draw(box) {
    drawn.get(box)?.dispose();
    const option = prepared(JSON.parse(document.getElementById(box.dataset.chart).textContent));
    const chart = echarts.init(box, theme(), { renderer: "canvas" });
    // A line of a tooltip is text: what a station sent must not become markup.
    chart.setOption({ animation: false, ...option, tooltip: { renderMode: "richText", ...option.tooltip } });
    chart.on("click", (event) => {
      const url = event.data?.url;
      if (!url) return;
      if (event.event?.event?.ctrlKey || event.event?.event?.metaKey) window.open(url);
      else location.href = url;
    });
    drawn.set(box, chart);
  }

  function drawAll() {
    for (const [box, chart] of drawn) {
      if (!box.isConnected) {
        chart.dispose();
        drawn.delete(box);
        sizes.unobserve(box);
      }
    }
    for (const box of document.querySelectorAll("[data-chart]")) {
      if (drawn.has(box)) continue;
      draw(box);
      sizes.observe(box);
    }
  }

  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => drawn.get(entry.target)?.resize()));
  new MutationObserver(() => [...drawn.keys()].forEach(draw)).observe(document.documentElement, {
    attributeFilter: ["data-bs-theme"],
  });
  // Paper has another width, and is always light.
  matchMedia("print").addEventListener("change", () => [...drawn.keys()].forEach(draw));
  document.addEventListener("htmx:afterSettle", drawAll);
  drawAll();
})();

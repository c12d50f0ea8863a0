// Finds what is wrong with how a page is laid out. Texts that are told to scroll, or that only machines and screen
// readers read, may be wider than their place.
() => {
  const MOST_LETTERS = 14;
  const found = new Set();
  const told = (element) => {
    const text = (element.innerText ?? "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ${text}`;
  };
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.add(`the page is ${root.scrollWidth} px wide`);

  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".unseen, .skip, svg, .canvas");
  const clips = (element) => getComputedStyle(element).overflowX !== "visible";
  const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);

  for (const element of document.body.querySelectorAll("*")) {
    if (!isSeen(element) || element.closest("pre, select, input, textarea")) continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0) continue;
    const card = element.closest(".card");
    if (card && card !== element) {
      let clipping = element.parentElement;
      while (clipping !== card && !clips(clipping)) clipping = clipping.parentElement;
      const edge = card.getBoundingClientRect();
      if (clipping === card && (box.right > edge.right + 1 || box.left < edge.left - 1) && !element.closest(".drop"))
        found.add(`leaves its card: ${told(element)}`);
    }
    if (clips(element) && element.scrollWidth > element.clientWidth + 1) {
      const style = getComputedStyle(element);
      if (scrolls(element)) {
        // A list of every value may scroll inside of its own box, and so may menus; tables that pages are about may not.
        if (!element.closest("details, nav, .timeline")) found.add(`scrolls sideways: ${told(element)}`);
      } else if (style.textOverflow !== "ellipsis") found.add(`is cut: ${told(element)}`);
    }
  }

  // Numbers, times and short words stay in one piece.
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const lines = (node, start, end) => {
    range.setStart(node, start);
    range.setEnd(node, end);
    return new Set([...range.getClientRects()].map((one) => Math.round(one.top / 4))).size;
  };
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim() || !isSeen(parent) || parent.closest("pre, select, option, script, noscript, .canvas")) continue;
    if (parent.closest("td.number, .day") && !parent.closest(".limits, .hint") && lines(node, 0, node.length) > 1)
      found.add(`a number is broken: ${told(parent)}`);
    for (const word of node.data.matchAll(/\S+/g)) {
      if (word[0].length <= MOST_LETTERS && /^\w[\w:.+#-]*$/.test(word[0]) && lines(node, word.index, word.index + word[0].length) > 1)
        found.add(`a short word is broken: ${word[0]} in ${told(parent)}`);
    }
  }
  for (const cell of document.querySelectorAll("td, th")) {
    if (isSeen(cell) && !clips(cell) && cell.scrollWidth > cell.clientWidth + 1) found.add(`leaves its cell: ${told(cell)}`);
  }
  const here = document.querySelector(".bar nav [aria-current]")?.getBoundingClientRect();
  if (here && (here.left < 0 || here.right > root.clientWidth)) found.add("the menu does not show which page this is");
  for (const time of document.querySelectorAll("time")) {
    const day = time.querySelector(".day");
    if (!day || !isSeen(time) || time.getClientRects().length !== 1) continue;
    if (day.getBoundingClientRect().left > time.getBoundingClientRect().left + 1) found.add(`is read backwards: ${told(time)}`);
  }
  return [...found];
}

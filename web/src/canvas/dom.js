// Elements without HTML in strings: what is text stays text.

import { showDay } from "../days.js";

export function el(tag, attrs = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attrs)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "value") made.value = value;
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}

/* As connectors/web/rendering.py has it. */
const UNITS = "万元|亿元|元|%|个工作日|分钟|小时|[天个条单人笔份家次版档]";
const WHOLE = new RegExp(
  String.raw`(?:\d{4}年)?\d{1,2}月\d{1,2}日(?:\(周.\))?|[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+|[+−-]?\d[\d,]*(?:\.\d+)?(?:${UNITS})`,
  "g",
);

/** The words as nodes: no date and no figure with its unit is torn at the end of a line. */
export function unbroken(words) {
  const nodes = [];
  let at = 0;
  for (const found of words.matchAll(WHOLE)) {
    nodes.push(words.slice(at, found.index), el("span", { class: "keep" }, found[0]));
    at = found.index + found[0].length;
  }
  return [...nodes, words.slice(at)];
}

export function svg(tag, attrs = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attrs)) made.setAttribute(key, value);
  return made;
}

export function choice(label, options, value, change, attrs = {}) {
  return el(
    "select",
    { "aria-label": label, onchange: (event) => change(event.target.value), ...attrs },
    options.map(([key, words]) => el("option", { value: key, selected: key === value }, words)),
  );
}

export function field(label, value, change, attrs = {}) {
  const made = el("input", {
    "aria-label": label, value: value ?? "", autocomplete: "off",
    oninput: (event) => change(event.target.value), ...attrs,
  });
  if (made.type === "date") showDay(made);
  return made;
}

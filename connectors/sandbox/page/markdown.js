// The subset of markdown both platforms show, built as DOM nodes: never as HTML text.

import { h, icon, safeUrl } from "./dom.js";

const LAMPS = { "🔴": "red", "🟡": "yellow", "🟢": "green" };
const MARKS = {
  "⏸": "pause", "📝": "note", "📞": "phone", "📦": "box", "📉": "fall", "🔥": "flame", "🔒": "lock",
  "📎": "clip", "⚠": "warning",
};
const DRAWN = new RegExp(`(${[...Object.keys(LAMPS), ...Object.keys(MARKS)].join("|")})`, "u");
const FONT_COLORS = { info: "info", warning: "warning", comment: "comment" };

// One alternative per inline form; the first that matches wins.
const INLINE = new RegExp(
  [
    String.raw`\*\*(?<bold>[^*\n]+)\*\*`,
    String.raw`\x60(?<code>[^\x60\n]+)\x60`,
    String.raw`!?\[(?<label>[^\]\n]*)\]\((?<target>[^)\s]+)\)`,
    String.raw`<font color="(?<color>[\w#]+)">(?<colored>[^<\n]*)</font>`,
    String.raw`(?<bare>https?://[^\s<>"，。；！？、（）]+)`,
  ].join("|"),
  "g",
);

/** A fragment with headings, quotes, lists, rules and paragraphs. */
export function renderMarkdown(text) {
  const fragment = document.createDocumentFragment();
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  for (let index = 0; index < lines.length; ) index += takeBlock(fragment, lines, index);
  return fragment;
}

/** Plain text with its line breaks kept and its web addresses clickable. */
export function renderText(text) {
  return h("p.plain", {}, inline(text, { onlyLinks: true }));
}

function takeBlock(fragment, lines, index) {
  const line = lines[index];
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (!line.trim()) return 1;
  if (/^\s*(-{3,}|\*{3,})\s*$/.test(line)) return fragment.append(h("hr")), 1;
  if (heading) return fragment.append(h("p.heading", {}, inline(heading[2]))), 1;
  for (const block of [quote, bullets, numbers]) {
    const run = runOf(lines, index, block.pattern);
    if (run.length) return fragment.append(block.build(run)), run.length;
  }
  const run = paragraphLines(lines, index);
  fragment.append(h("div.lines", {}, run.map((line) => h("p", {}, inline(line)))));
  return run.length;
}

const quote = {
  pattern: /^\s*>\s?(.*)$/,
  build: (run) => h("blockquote", {}, joinLines(run)),
};

const bullets = {
  pattern: /^\s*[-*•]\s+(.*)$/,
  build: (run) => h("ul", {}, run.map((item) => h("li", {}, inline(item)))),
};

const numbers = {
  pattern: /^\s*\d{1,2}\.\s+(.*)$/,
  build: (run) => h("ol", {}, run.map((item) => h("li", {}, inline(item)))),
};

function runOf(lines, index, pattern) {
  const run = [];
  for (let at = index; at < lines.length; at += 1) {
    const match = pattern.exec(lines[at]);
    if (!match) break;
    run.push(match[1]);
  }
  return run;
}

function paragraphLines(lines, index) {
  const starts = [/^\s*$/, /^#{1,6}\s/, quote.pattern, bullets.pattern, numbers.pattern];
  let end = index + 1;
  while (end < lines.length && !starts.some((start) => start.test(lines[end]))) end += 1;
  return lines.slice(index, end);
}

function joinLines(lines) {
  return lines.flatMap((line, index) => [...(index ? [h("br")] : []), ...inline(line)]);
}

function inline(text, { onlyLinks = false } = {}) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    const node = onlyLinks && !match.groups.bare ? match[0] : inlineNode(match);
    nodes.push(...lamps(text.slice(from, match.index)), node);
    from = match.index + match[0].length;
  }
  nodes.push(...lamps(text.slice(from)));
  return nodes.filter((node) => node !== "");
}

/** Lights and marks are drawn by the page: not every machine has a font with emoji. */
function lamps(text) {
  return text.split(DRAWN).map((part) => {
    if (LAMPS[part]) return h("span.lamp", { "data-light": LAMPS[part] }, part);
    return MARKS[part] ? h("span.emoji", {}, icon(MARKS[part]), h("span", {}, part)) : part;
  });
}

function inlineNode(match) {
  const { bold, code, label, target, color, colored, bare } = match.groups;
  if (bold !== undefined) return h("strong", {}, bold);
  if (code !== undefined) return h("code", {}, code);
  if (colored !== undefined) return h(`span.font-${FONT_COLORS[color] ?? "plain"}`, {}, colored);
  const href = safeUrl(target ?? bare);
  if (!href) return match[0];
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, label || target || bare);
}

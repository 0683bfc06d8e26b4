// One card of either platform: facts, form fields, buttons.

import { h, safeUrl } from "./dom.js";
import { renderMarkdown } from "./markdown.js";
import { showMoment } from "./time.js";

/** onPress(action, values) answers a promise; the buttons wait for it. */
export function cardView(card, onPress) {
  const form = h("form.card-form", { onsubmit: (event) => event.preventDefault() });
  form.append(...(card.fields ?? []).map(field), buttonRow(card, form, onPress));
  return h(
    "article.card",
    { "aria-label": card.title, "data-closed": Boolean(card.closed) },
    h("h3", {}, card.title),
    h("div.card-body", {}, renderMarkdown(card.body ?? "")),
    card.facts?.length ? factTable(card.facts) : null,
    card.closed ? h("p.card-closed", {}, card.closed) : form,
  );
}

function factTable(facts) {
  const rows = facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  return h("dl.facts", {}, rows);
}

function field(spec) {
  if (spec.kind === "checkbox") return checkboxes(spec);
  const input = spec.kind === "select" ? select(spec) : textInput(spec);
  return h("label.field", {}, h("span", {}, spec.label), input);
}

function select(spec) {
  const options = spec.options ?? [];
  const node = h("select", { name: spec.key });
  if (!options.some(({ id }) => id === spec.value)) {
    node.append(h("option", { value: "" }, "请选择"));
  }
  node.append(...options.map(({ id, label }) => h("option", { value: id }, label)));
  node.value = spec.value ?? "";
  return node;
}

function textInput(spec) {
  const type = spec.kind === "date" ? "date" : "text";
  const input = h("input", { type, name: spec.key, value: spec.value ?? "", autocomplete: "off" });
  if (type === "date") {
    showMoment(input);
    input.addEventListener("input", () => showMoment(input));
  }
  return input;
}

function checkboxes(spec) {
  const chosen = (spec.value ?? "").split(",");
  const boxes = (spec.options ?? []).map(({ id, label }) => {
    const checked = chosen.includes(id);
    const box = h("input", { type: "checkbox", name: spec.key, value: id, checked });
    return h("label.check", {}, box, label);
  });
  return h("fieldset.field", {}, h("legend", {}, spec.label), boxes);
}

function buttonRow(card, form, onPress) {
  const buttons = [...(card.buttons ?? []), ...(card.menu ?? [])];
  const nodes = buttons.map((button) => buttonNode(button, form, onPress));
  return nodes.length ? h("div.card-buttons", {}, nodes) : "";
}

function buttonNode(button, form, onPress) {
  if (button.url) {
    const link = { href: safeUrl(button.url), target: "_blank", rel: "noopener noreferrer" };
    return h("a.button", link, button.label);
  }
  const press = async (event) => {
    const row = event.currentTarget.parentElement;
    setBusy(row, event.currentTarget, true);
    await onPress(button.action, valuesOf(form));
    setBusy(row, row.querySelector("[aria-busy]"), false);
  };
  const style = { primary: "button.primary", danger: "button.danger" }[button.style] ?? "button";
  return h(style, { type: "button", "data-action": button.action, onclick: press }, button.label);
}

function setBusy(row, pressed, busy) {
  for (const node of row.querySelectorAll("button")) node.disabled = busy;
  if (busy) pressed.setAttribute("aria-busy", "true");
  else pressed?.removeAttribute("aria-busy");
}

/** Fields nobody filled are left out: an empty answer is no answer. */
function valuesOf(form) {
  const values = {};
  for (const [name, value] of new FormData(form)) {
    if (value !== "") values[name] = values[name] ? `${values[name]},${value}` : value;
  }
  return values;
}

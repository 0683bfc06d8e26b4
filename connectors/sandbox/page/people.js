// The left column: people to be, by platform.

import { h } from "./dom.js";
import { personKey } from "./store.js";
import { PLATFORMS, ROLES } from "./words.js";

/** Redraws itself; choosing a person calls onChoose(person). */
export function peopleColumn(root, store, onChoose) {
  store.subscribe((topic) => {
    if (topic === "world") draw();
    if (["messages", "chosen", "world"].includes(topic)) mark();
  });

  function draw() {
    const focused = document.activeElement?.dataset.person;
    root.replaceChildren(...Object.keys(PLATFORMS).map(group).filter(Boolean));
    if (focused) root.querySelector(`[data-person="${CSS.escape(focused)}"]`)?.focus();
  }

  function group(platform) {
    const members = store.people.filter((one) => one.platform === platform && isHere(one));
    if (!members.length) return null;
    const { name, mark: letter } = PLATFORMS[platform];
    return h(
      "section",
      { "aria-label": name },
      h("h2", {}, h("span.platform", { "data-platform": platform }, letter), name),
      h("ul", {}, members.map((one) => h("li", {}, entry(one)))),
    );
  }

  function entry(person) {
    return h(
      "button.person",
      { type: "button", "data-person": personKey(person), onclick: () => onChoose(person) },
      avatar(person.name, personKey(person)),
      h("span.name", {}, person.name),
      h("span.roles", {}, person.roles.map((role) => ROLES[role] ?? role).join(" · ")),
      h("span.unread", { hidden: true }),
    );
  }

  function mark() {
    for (const person of store.people) {
      const node = root.querySelector(`[data-person="${CSS.escape(personKey(person))}"]`);
      if (!node) continue;
      const count = store.unread(person);
      const badge = node.querySelector(".unread");
      badge.hidden = count === 0;
      badge.textContent = count > 99 ? "99+" : count;
      badge.setAttribute("aria-label", `${count} 条未读`);
      const chosen = store.me && personKey(store.me) === personKey(person);
      if (chosen) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
    }
  }
}

const isHere = (person) => person.status === undefined || person.status === 1;

const HUES = 8;

/** The last character of a name on a calm colour that stays with the person. */
export function avatar(name, key) {
  const sum = [...key].reduce((total, letter) => total + letter.codePointAt(0), 0);
  const hue = String(sum % HUES);
  return h("span.avatar", { "data-hue": hue, "aria-hidden": "true" }, [...name].at(-1) ?? "?");
}

// What the server says about the rules: beside the place, and as a list.

import { el, unbroken } from "./dom.js";

/** The element that a message is about; the nearest that contains it where there is no such. */
function placeOf(plane, { rule, at }) {
  if (rule === null || rule === undefined) return null;
  const where = at === "published_at" ? "effective_from" : at;
  const within = [...plane.querySelectorAll(`[data-rule="${rule}"]`)];
  for (let path = where; path; path = path.includes(" ") ? path.slice(0, path.lastIndexOf(" ")) : "") {
    for (const node of within) {
      const found = node.querySelector(`[data-at="${CSS.escape(path)}"]`);
      if (found) return found;
    }
  }
  return within[1] ?? null;
}

export function mark(plane, told) {
  for (const one of plane.querySelectorAll(".said")) one.remove();
  for (const one of plane.querySelectorAll("[data-tone]")) one.removeAttribute("data-tone");
  for (const one of plane.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
  for (const [tone, list] of [["notice", told.notices ?? []], ["problem", told.problems ?? []]]) {
    for (const one of list) {
      const place = placeOf(plane, one);
      if (!place) continue;
      place.dataset.tone = tone;
      if (tone === "problem" && place.matches("input")) place.setAttribute("aria-invalid", "true");
      beside(place, el("p", { class: "said", "data-tone": tone }, unbroken(one.text)));
    }
  }
}

function beside(place, words) {
  const row = place.closest("tr");
  if (row) row.after(el("tr", { class: "said" }, el("td", { colspan: "4" }, words)));
  else if (place.matches(".node")) place.querySelector(".body").prepend(words);
  else (place.closest(".line") ?? place.closest(".row, fieldset, header") ?? place).after(words);
}

export function list(told, rules, go) {
  const problems = told.problems ?? [];
  const notices = told.notices ?? [];
  const item = (tone) => (one) =>
    el(
      "li",
      { "data-tone": tone },
      el("button", { type: "button", onclick: () => go(one) }, one.rule === null || one.rule === undefined ? null : el("b", {}, `${rules[one.rule]?.id ?? ""}　`), unbroken(one.text)),
    );
  if (!problems.length && !notices.length) return [el("p", { class: "fine" }, "没有发现缺档、重叠、断崖或永远满足不了的条件。")];
  return [
    problems.length ? el("p", { class: "wrong" }, `有${problems.length}处要改，改好才能存：`) : null,
    el("ul", {}, problems.map(item("problem")), notices.map(item("notice"))),
  ];
}

export function judged(plane, trial, rules) {
  for (const one of plane.querySelectorAll("[data-holds]")) one.removeAttribute("data-holds");
  if (!trial) return [el("p", { class: "soft" }, "填上金额，看这些规则会怎么算。")];
  const rows = trial.rules.map((one) => {
    one.holds.forEach((holds, n) => {
      const row = plane.querySelector(`[data-rule="${one.rule}"] [data-at="when[${n}]"]`);
      if (row) row.dataset.holds = holds;
    });
    const differs = one.engine !== null && one.engine !== one.applies;
    return el(
      "li",
      {},
      el("div", { class: "top" }, el("b", {}, rules[one.rule]?.id ?? ""), el("span", {}, one.applies ? one.amount : "条件不满足")),
      one.why.map((why) => el("p", { class: "small soft" }, unbroken(why))),
      differs ? el("p", { class: "wrong" }, "决策引擎与计算的判断不一样，请告诉管理员。") : null,
    );
  });
  return [el("ul", { class: "judged" }, rows), el("p", { class: "top" }, el("span", {}, "连同现行其他规则合计"), el("b", {}, trial.total))];
}

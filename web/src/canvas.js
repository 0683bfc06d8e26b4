// The canvas on which bonus rules are written. It holds rules as a rules file has them; whether they
// are right, and what they would pay, the server alone says.

import { choice, el, field, unbroken } from "./canvas/dom.js";
import { groupNode, join, newGroup, ruleNodes } from "./canvas/nodes.js";
import { judged, list, mark } from "./canvas/said.js";
import { KINDS, typed } from "./canvas/units.js";
import { View } from "./canvas/view.js";

const host = document.getElementById("canvas");
const opened = JSON.parse(host.dataset.board);
const state = { rules: opened.rules, revision: opened.revision, places: opened.layout, past: [], future: [], dirty: false };
const trial = { contract: "", paid: "", kind: "new", industry: "" };
/** Places are kept as on a screen with letters of 15 px; on a wall everything is larger. */
const UNIT = parseFloat(getComputedStyle(document.documentElement).fontSize) / 15;
const COLUMNS = { when: 0, pays: 400 * UNIT, more: 790 * UNIT, group: 1170 * UNIT };
const PAUSE_MS = 350;
let told = {};
let waiting = 0;
let asked = 0;
let lastEdit = 0;

const stage = el("div", { class: "stage", role: "group", "aria-label": "画布：拖动空白处平移，滚轮缩放，方向键移动选中的节点" });
const status = el("p", { class: "status", role: "status" });
const found = el("div", { class: "in", "aria-live": "polite" });
const sentences = el("ul", { class: "sentences" });
const outcome = el("div", { class: "in" });
const undoing = el("button", { type: "button", onclick: () => back(state.past, state.future) }, "撤销");
const redoing = el("button", { type: "button", onclick: () => back(state.future, state.past) }, "重做");
const file = el("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: take });

host.append(
  el(
    "div",
    { class: "tools", role: "toolbar", "aria-label": "画布" },
    el("button", { type: "button", onclick: add }, "＋ 规则"), undoing, redoing,
    el("button", { type: "button", class: "sight", "aria-label": "缩小", onclick: () => view.zoom(0.8) }, "－"),
    el("button", { type: "button", class: "sight", "aria-label": "放大", onclick: () => view.zoom(1.25) }, "＋"),
    el("button", { type: "button", class: "sight", onclick: () => view.fit() }, "全貌"),
    el("button", { type: "button", onclick: () => file.click(), title: "GoRules 的 JDM 文件" }, "导入图"), file,
    el("a", { class: "button", href: `/rules/${opened.number}/graph.json`, title: "存下的草稿，GoRules 的 JDM 格式" }, "导出图"),
    status,
    el("button", { type: "button", class: "primary", onclick: save }, "存草稿"),
  ),
  el("div", { class: "desk" }, stage, el(
    "aside",
    {},
    panel("检查", found), panel("写成一句话", sentences), panel("试一单", trialFields(), outcome),
  )),
);
const view = new View(stage, { moved: () => (lines(), (state.dirty = true)) });

const act = {
  edit(change) {
    if (Date.now() - lastEdit > 700) remember();
    lastEdit = Date.now();
    change();
    touched();
  },
  structure(change) {
    remember();
    change();
    draw();
    touched();
  },
  rename(rule, name) {
    for (const kind of ["when", "pays", "more"]) {
      const key = `${kind}:${rule.id}`;
      if (key in state.places) {
        state.places[`${kind}:${name}`] = state.places[key];
        delete state.places[key];
      }
    }
    rule.id = name;
  },
  drop(rule) {
    act.structure(() => state.rules.splice(state.rules.indexOf(rule), 1));
  },
  groups: () => [...new Set(state.rules.map((rule) => rule.group).filter(Boolean))],
  connect(rule, event) {
    const other = (node) => state.rules[node.dataset.rule];
    const accepts = (node) => node.dataset.group !== undefined || (other(node) && other(node) !== rule);
    view.connect(event.target, event, accepts, (node) =>
      act.structure(() => {
        const name = node.dataset.group ?? other(node).group ?? newGroup(act.groups());
        if (node.dataset.group === undefined) join(other(node), name, 1);
        const last = Math.max(0, ...state.rules.filter((one) => one.group === name && one !== rule).map((one) => one.priority));
        delete rule.priority;
        join(rule, name, last + 1);
      }),
    );
  },
};

function panel(title, ...inside) {
  return el("section", { class: "panel", "aria-label": title }, el("header", {}, el("h2", {}, title)), inside);
}

function trialFields() {
  const change = (key) => (text) => {
    trial[key] = text;
    soon();
  };
  return el(
    "div",
    { class: "in trial" },
    el("label", {}, "合同额（万元）", field("试算合同额（万元）", "", change("contract"), { inputmode: "decimal" })),
    el("label", {}, "已回款（万元）", field("试算回款（万元）", "", change("paid"), { inputmode: "decimal" })),
    el("label", {}, "类型", choice("试算合同类型", KINDS, "new", change("kind"))),
    el("label", {}, "行业", field("试算行业", "", change("industry"))),
  );
}

function draw() {
  const focus = document.activeElement?.closest(".node")?.dataset.node;
  const label = document.activeElement?.getAttribute("aria-label");
  for (const node of [...view.plane.querySelectorAll(".node")]) node.remove();
  let top = 0;
  state.rules.forEach((rule, index) => {
    const nodes = ruleNodes(rule, index, opened, act);
    for (const [kind, node] of nodes) put(node, `${kind}:${rule.id}`, [COLUMNS[kind], top]);
    top += Math.max(...nodes.map(([, node]) => node.offsetHeight)) + 60;
  });
  act.groups().forEach((name, n) => {
    const members = state.rules.filter((rule) => rule.group === name);
    put(groupNode(name, members, act), `group:${name}`, [COLUMNS.group, n * 260 * UNIT]);
  });
  lines();
  const again = focus && view.plane.querySelector(`[data-node="${CSS.escape(focus)}"]`);
  const control = label && again?.querySelector(`[aria-label="${CSS.escape(label)}"]`);
  (control || again?.querySelector("header"))?.focus({ preventScroll: true });
  undoing.disabled = !state.past.length;
  redoing.disabled = !state.future.length;
  mark(view.plane, told);
}

function put(node, key, otherwise) {
  const saved = state.places[key];
  const at = saved ? saved.map((one) => one * UNIT) : [...otherwise];
  const keep = () => {
    if (saved || at[0] !== otherwise[0] || at[1] !== otherwise[1]) state.places[key] = at.map((one) => Math.round(one / UNIT));
  };
  view.plane.append(node);
  view.place(node, at);
  view.movable(node, node.querySelector("header"), at);
  node.addEventListener("pointerup", keep);
  node.addEventListener("keyup", keep);
}

function lines() {
  const node = (key) => view.plane.querySelector(`[data-node="${CSS.escape(key)}"]`);
  const links = [];
  state.rules.forEach((rule, n) => {
    const [when, pays, more] = ["when", "pays", "more"].map((kind) => node(`${kind}:${n}`));
    links.push([when, pays, "flow"], [pays, more, "flow"]);
    const group = rule.group && node(`group:${rule.group}`);
    if (group) links.push([more, group, "exclusive"]);
  });
  view.draw(links);
}

function snapshot() {
  return JSON.stringify(state.rules);
}

function remember() {
  state.past.push(snapshot());
  if (state.past.length > 100) state.past.shift();
  state.future.length = 0;
}

function back(from, to) {
  if (!from.length) return;
  to.push(snapshot());
  state.rules = JSON.parse(from.pop());
  draw();
  touched();
}

function add() {
  let n = state.rules.length + 1;
  while (state.rules.some((rule) => rule.id === `规则${n}`)) n += 1;
  const first = state.rules[0];
  act.structure(() =>
    state.rules.push({
      id: `规则${n}`, version: 1, effective_from: first?.effective_from ?? new Date().toISOString().slice(0, 10),
      base: "contract_fen", mode: "flat", rate_bp: 300,
    }),
  );
  view.plane.querySelector(`[data-node="pays:${state.rules.length - 1}"] .name`)?.focus();
}

function touched() {
  state.dirty = true;
  status.textContent = "有改动，还没存";
  undoing.disabled = !state.past.length;
  soon();
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(check, PAUSE_MS);
}

function trialBody() {
  const contract = typed(trial.contract || "", "wan");
  const paid = typed(trial.paid || trial.contract || "", "wan");
  if (!Number.isInteger(contract) || !Number.isInteger(paid)) return null;
  const fields = { kind: trial.kind };
  if (trial.industry) fields.industry = trial.industry;
  return { contract_fen: contract, paid_fen: paid, fields };
}

async function call(path, body) {
  try {
    const answer = await fetch(`/rules/${opened.number}/${path}`, {
      method: "POST", body, headers: { "X-Form-Key": host.dataset.key, "Content-Type": "application/json" },
    });
    return [answer.status, await answer.json()];
  } catch {
    return [0, { words: "没连上服务器，改动还在画布上，请稍后再试。" }];
  }
}

/** Only the newest answer counts. */
async function check() {
  const number = (asked += 1);
  const [code, answer] = await call("check", JSON.stringify({ rules: state.rules, trial: trialBody() }));
  if (number !== asked) return;
  tell(code, answer);
}

function tell(code, answer) {
  told = answer.problems ? answer : { problems: [{ rule: null, at: "", text: answer.words ?? `出错了（${code}）` }] };
  mark(view.plane, told);
  found.replaceChildren(...list(told, state.rules, go).filter(Boolean));
  if (told.sentences) sentences.replaceChildren(...told.sentences.map((one) => el("li", {}, unbroken(one.text))));
  outcome.replaceChildren(...judged(view.plane, told.trial, state.rules));
  lines();
}

function go(one) {
  const node = view.plane.querySelector(`[data-rule="${one.rule}"] [data-tone]`) ?? view.plane.querySelector(`[data-rule="${one.rule}"]`);
  const target = node?.querySelector("input, select") ?? node;
  target?.focus();
  target?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

async function save() {
  clearTimeout(waiting);
  const number = (asked += 1);
  status.textContent = "正在存…";
  const body = JSON.stringify({ rules: state.rules, revision: state.revision, layout: state.places });
  const [code, answer] = await call("save", body);
  if (code === 200) {
    state.revision = answer.revision;
    state.dirty = false;
    status.textContent = "已存为草稿";
    if (number === asked) soon();
  } else if (code === 422) {
    status.textContent = "有地方要改，没有存下";
    tell(code, answer);
  } else if (code === 409) conflict(answer.words);
  else status.textContent = answer.words ?? "没有存下";
}

function conflict(words) {
  status.textContent = "没有存下";
  const dialog = el(
    "dialog",
    { "aria-label": "没有存下" },
    el("p", {}, words),
    el(
      "div",
      { class: "acts" },
      el("button", { type: "button", onclick: download }, "下载我的改动"),
      el("button", { type: "button", class: "primary", onclick: () => ((state.dirty = false), location.reload()) }, "载入最新的一版"),
      el("button", { type: "button", onclick: () => dialog.close() }, "先不管"),
    ),
  );
  host.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

function download() {
  const url = URL.createObjectURL(new Blob([JSON.stringify(state.rules, null, 2)], { type: "application/json" }));
  el("a", { href: url, download: "奖金规则.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function take() {
  const chosen = file.files[0];
  file.value = "";
  if (!chosen) return;
  const [code, answer] = await call("graph", await chosen.text());
  if (code !== 200) {
    tell(code, answer);
    status.textContent = "没有导入";
    return;
  }
  act.structure(() => (state.rules = answer.rules));
  view.fit();
}

addEventListener("beforeunload", (event) => state.dirty && event.preventDefault());
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey)) return;
  const key = event.key.toLowerCase();
  if (key === "s") event.preventDefault(), save();
  else if (key === "z" && !event.target.closest("input")) event.preventDefault(), event.shiftKey ? back(state.future, state.past) : back(state.past, state.future);
});

draw();
view.fit();
new ResizeObserver(lines).observe(stage);
check();

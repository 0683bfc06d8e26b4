// The nodes of a rule: whom it is for, what it pays, what follows, and the groups they belong to.

import { choice, el, field } from "./dom.js";
import { KINDS, OPS, shown, typed, words } from "./units.js";

const MODES = [
  ["marginal", "分段：各段按各段的比例"], ["whole", "全额：按达到的最高一档"],
  ["flat", "一个比例"], ["fixed", "固定金额"], ["cap", "封顶：各项合计最多"],
];
const BASES = [["paid_fen", "回款"], ["contract_fen", "合同额"]];
const SCOPES = [["deal", "每份合同"], ["rep_month", "签单人当月累计"]];
const LABELS = {
  rate_bp: "比例（%）", amount_fen: "金额（元）", cap_fen: "最多（元）", share_bp: "分出比例（%）", fund_bp: "划入成长基金（%）",
  per_complaint_fen: "每次扣（元）", per_complaint_bp: "每次扣提成的比例（%）", floor_fen: "扣后不低于（元）",
};
const NUMERIC = ["contract_fen", "paid_fen", "paid_ratio_bp"];

/** act: {edit(change), structure(change)}: the second redraws the nodes. */
/** opened: {fields, published, lawyers} */
export function ruleNodes(rule, index, opened, act) {
  return [
    ["when", node(rule, index, "when", "条件", whenBody(rule, opened.fields, act))],
    ["pays", node(rule, index, "pays", rule.id, paysBody(rule, opened, act), titleOf(rule, act))],
    ["more", node(rule, index, "more", "分配与扣减", moreBody(rule, act))],
  ];
}

export function groupNode(name, members, act) {
  return el(
    "section",
    { class: "node group", "data-node": `group:${name}`, "data-group": name, "aria-label": `互斥组 ${name}` },
    el("header", { tabindex: "0" }, el("small", {}, "互斥组"), el("b", {}, name)),
    el(
      "div",
      { class: "body" },
      el("p", {}, "同一份合同只发序号最小的一条："),
      members.map((rule) =>
        el(
          "label",
          { class: "row", "data-at-rule": rule.id },
          field(`${rule.id} 的序号`, rule.priority, (text) => act.edit(() => (rule.priority = whole(text))), {
            inputmode: "numeric", class: "short", "data-at": "priority",
          }),
          el("span", {}, rule.id),
          remove(`把「${rule.id}」移出互斥组`, () => act.structure(() => leave(rule))),
        ),
      ),
    ),
  );
}

export function newGroup(groups) {
  let n = 1;
  while (groups.includes(`互斥组${n}`)) n += 1;
  return `互斥组${n}`;
}

export function join(rule, name, priority = 1) {
  if (!name) leave(rule);
  else Object.assign(rule, { stack: "exclusive", group: name, priority: rule.priority ?? priority });
}

export function leave(rule) {
  for (const key of ["stack", "group", "priority"]) delete rule[key];
}

function node(rule, index, kind, title, body, head = null) {
  return el(
    "section",
    { class: "node", "data-kind": kind, "data-node": `${kind}:${index}`, "data-rule": index, "aria-label": `${rule.id} ${title}` },
    el("header", { tabindex: "0" }, head ?? el("b", {}, title)),
    el("div", { class: "body" }, body),
  );
}

function titleOf(rule, act) {
  return [
    field("规则名", rule.id, (text) => act.edit(() => act.rename(rule, text)), { class: "name", "data-at": "id" }),
    el("small", {}, `第${rule.version}版`),
    el("button", { type: "button", class: "remove", "aria-label": `删掉「${rule.id}」`, title: "删掉这条", onclick: () => act.drop(rule) }, "×"),
    el("span", { class: "port", title: "拖到另一条规则或互斥组上：两条只发一条", onpointerdown: (event) => act.connect(rule, event) }),
  ];
}

function whenBody(rule, fields, act) {
  const when = rule.when ?? [];
  const rows = when.map((one, n) => {
    const [, label, unit] = fields.find(([key]) => key === one.field) ?? [one.field, one.field, "text"];
    const known = fields.some(([key]) => key === one.field);
    const options = known ? fields : [...fields, [one.field, `「${label}」`, "text"]];
    const ops = NUMERIC.includes(one.field) || typeof one.value === "number" ? OPS : OPS.slice(4);
    return el(
      "div",
      { class: "row", "data-at": `when[${n}]` },
      choice("看什么", options.map(([key, name]) => [key, name]), one.field, (field) => act.structure(() => Object.assign(one, fresh(field)))),
      choice("怎么比", ops, one.op, (op) => act.structure(() => turn(one, op))),
      valueField(one, unit, act),
      remove("去掉这个条件", () => act.structure(() => when.splice(n, 1))),
    );
  });
  const add = () => act.structure(() => (rule.when = [...when, fresh("contract_fen")]));
  return [
    rows.length ? el("p", { class: "soft" }, "都满足才适用：") : el("p", { class: "soft" }, "所有合同都适用。"),
    rows,
    el("button", { type: "button", class: "add", onclick: add }, "＋ 条件"),
  ];
}

function fresh(field) {
  if (field === "paid_ratio_bp") return { field, op: ">=", value: 10000 };
  if (NUMERIC.includes(field)) return { field, op: ">=", value: 10000000 };
  return { field, op: "==", value: field === "kind" ? "new" : "" };
}

function turn(one, op) {
  if (op === "in" && !Array.isArray(one.value)) one.value = [one.value];
  if (op !== "in" && Array.isArray(one.value)) one.value = one.value[0] ?? "";
  one.op = op;
}

function valueField(one, unit, act) {
  if (unit === "kind" && one.op !== "in" && KINDS.some(([key]) => key === one.value))
    return choice("合同类型", KINDS, one.value, (value) => act.edit(() => (one.value = value)));
  const list = Array.isArray(one.value);
  const kinds = Object.fromEntries(KINDS);
  const names = Object.fromEntries(KINDS.map(([key, name]) => [name, key]));
  const out = (value) => (unit === "kind" && kinds[value]) || tell(value, unit);
  const read = (text) => (unit === "kind" && names[text.trim()]) || hear(text, unit);
  const text = list ? one.value.map(out).join("、") : out(one.value);
  const change = (said) => act.edit(() => (one.value = list ? said.split("、").map(read) : read(said)));
  return [field(list ? "这些值，用、隔开" : "值", text, change, { class: words[unit] ? "short" : "" }), el("span", { class: "unit" }, words[unit] ?? "")];
}

/** Texts that look like a flag, a number or nothing keep their quotes. */
const PLAIN = { true: true, false: false, null: null };
function tell(value, unit) {
  if (words[unit]) return shown(value, unit);
  if (typeof value !== "string") return JSON.stringify(value);
  return value in PLAIN || /^-?\d+$/.test(value) || value.startsWith('"') ? JSON.stringify(value) : value;
}
function hear(text, unit) {
  if (words[unit]) return typed(text, unit);
  if (text in PLAIN) return PLAIN[text];
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  try {
    return /^".*"$/.test(text) ? JSON.parse(text) : text;
  } catch {
    return text;
  }
}

function paysBody(rule, opened, act) {
  const rows = [
    line("怎么算", choice("怎么算", MODES, rule.mode, (mode) => act.structure(() => turnMode(rule, mode)))),
  ];
  if (!["fixed", "cap"].includes(rule.mode))
    rows.push(line("基数", choice("基数", BASES, rule.base, (base) => act.edit(() => (rule.base = base)))));
  if (rule.mode !== "cap")
    rows.push(line("范围", choice("范围", SCOPES, rule.scope ?? "deal", (scope) => act.edit(() => (rule.scope = scope)))));
  if (rule.mode === "flat") rows.push(line("比例", number(rule, "rate_bp", "percent", act)));
  if (rule.mode === "fixed") rows.push(line("金额", number(rule, "amount_fen", "money", act)));
  if (rule.mode === "cap") rows.push(line("最多", number(rule, "cap_fen", "money", act)));
  if (rule.tiers) rows.push(tierTable(rule, act));
  rows.push(
    line("起算日", field("起算日", rule.effective_from, (day) => act.edit(() => (rule.effective_from = day)), { type: "date", "data-at": "effective_from" })),
    line("到期日", field("到期日（当天不含）", rule.effective_to, (day) => act.edit(() => keep(rule, "effective_to", day)), { type: "date", "data-at": "effective_to" })),
    ...standingBody(rule, opened, act),
  );
  return rows;
}

/** What it does to versions that people were paid by, and who of the lawyers allowed that. */
function standingBody(rule, { published, lawyers }, act) {
  const rows = [];
  const older = (published[rule.id] ?? []).filter(([version]) => version !== rule.version);
  if (older.length || rule.supersedes !== undefined) {
    const known = older.map(([version, days]) => [String(version), `第${version}版（${days}）`]);
    const said = String(rule.supersedes ?? "");
    const options = [["", "不取代，接在旧版之后"], ...withSaid(known, said, `第${said}版`)];
    const take = (version) => act.structure(() => keep(rule, "supersedes", version && Number(version)));
    rows.push(line("取代旧版", choice("取代哪一版", options, said, take, { "data-at": "supersedes" })));
    if (said) rows.push(el("p", { class: "soft small" }, "起算日起签约的合同都改按本版算。已发放的不动，差额在下一次发放时补发或冲回。"));
  }
  const said = rule.legal_approval ?? "";
  const options = [["", "没有"], ...withSaid(lawyers.map((name) => [name, name]), said, said)];
  rows.push(
    line("法务批准", choice("法务批准人", options, said, (name) => act.edit(() => keep(rule, "legal_approval", name)), { "data-at": "legal_approval" })),
    el("p", { class: "soft small" }, lawyers.length ? "已签合同的奖金会因此变少时，必须有法务同事具名批准。" : "还没有法务角色的同事。已签合同的奖金会变少时要由法务批准，请管理员先设置。"),
  );
  return rows;
}

function withSaid(options, said, words) {
  return !said || options.some(([key]) => key === said) ? options : [...options, [said, words]];
}

function turnMode(rule, mode) {
  const rate = rule.rate_bp ?? rule.tiers?.[0]?.rate_bp ?? 300;
  const tiers = rule.tiers;
  for (const key of ["rate_bp", "amount_fen", "cap_fen", "tiers"]) delete rule[key];
  if (mode === "flat") rule.rate_bp = rate;
  else if (mode === "fixed") rule.amount_fen = 100000;
  else if (mode === "cap") {
    rule.cap_fen = 10000000;
    delete rule.scope;
  } else rule.tiers = tiers ?? [{ from_fen: 0, rate_bp: rate }];
  if (!["fixed", "cap"].includes(mode)) rule.base ??= "contract_fen";
  rule.mode = mode;
}

function tierTable(rule, act) {
  const rows = rule.tiers.map((tier, n) => {
    const end = rule.tiers[n + 1];
    return el(
      "tr",
      { "data-at": `tiers[${n}]` },
      el("td", {}, field(`第${n + 1}档起点（万元）`, shown(tier.from_fen, "wan"), (text) => act.edit(() => start(rule, n, text)), { inputmode: "decimal", readonly: n === 0 })),
      el("td", { class: "soft", "data-end": true }, end ? `至 ${shown(end.from_fen, "wan")}` : "以上"),
      el("td", {}, field(`第${n + 1}档比例（%）`, shown(tier.rate_bp, "percent"), (text) => act.edit(() => (tier.rate_bp = typed(text, "percent"))), { inputmode: "decimal" })),
      el("td", {}, n ? remove(`去掉第${n + 1}档`, () => act.structure(() => drop(rule, n))) : null),
    );
  });
  const last = rule.tiers.at(-1);
  const add = () =>
    act.structure(() => {
      const from = Number.isInteger(last.from_fen) ? last.from_fen : 0;
      rule.tiers.push({ from_fen: from ? from * 2 : 10000000, rate_bp: last.rate_bp });
    });
  return el(
    "table",
    { class: "tiers", "data-at": "tiers" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "从（万元）"), el("th", { scope: "col" }, ""), el("th", { scope: "col" }, "比例 %"), el("th", {}))),
    el("tbody", {}, rows),
    el("tfoot", {}, el("tr", {}, el("td", { colspan: "4" }, el("button", { type: "button", class: "add", onclick: add }, "＋ 一档")))),
  );
}

/** Ends are where the next tier begins; a file may have written them down. */
function start(rule, n, text) {
  rule.tiers[n].from_fen = typed(text, "wan");
  if ("to_fen" in rule.tiers[n - 1]) rule.tiers[n - 1].to_fen = rule.tiers[n].from_fen;
}
function drop(rule, n) {
  rule.tiers.splice(n, 1);
  const before = rule.tiers[n - 1];
  if ("to_fen" in before) {
    if (rule.tiers[n]) before.to_fen = rule.tiers[n].from_fen;
    else delete before.to_fen;
  }
}

function moreBody(rule, act) {
  const rows = [];
  if (rule.collab) {
    const collab = rule.collab;
    rows.push(
      part("协作奖金", "collab", () => act.structure(() => delete rule.collab), [
        line("什么时候", field("协作条件", collab.when, (text) => act.edit(() => (collab.when = text)), { "data-at": "collab when" })),
        line("分出", number(collab, "share_bp", "percent", act, "collab share_bp")),
        line("归谁", choice("归谁", [["lead_provider", "线索提供人"], ["original_seller", "原销售"], ...(["lead_provider", "original_seller"].includes(collab.to) ? [] : [[collab.to, collab.to]])], collab.to, (to) => act.edit(() => (collab.to = to)))),
      ]),
    );
  }
  if (rule.penalty) {
    const penalty = rule.penalty;
    const key = "per_complaint_bp" in penalty ? "per_complaint_bp" : "per_complaint_fen";
    const turnTo = (to) =>
      act.structure(() => {
        delete penalty[key];
        penalty[to] = to === "per_complaint_bp" ? 1000 : 50000;
      });
    rows.push(
      part("投诉扣减", "penalty", () => act.structure(() => delete rule.penalty), [
        line("每次扣", choice("怎么扣", [["per_complaint_fen", "固定金额"], ["per_complaint_bp", "提成的比例"]], key, turnTo)),
        line("", number(penalty, key, key === "per_complaint_bp" ? "percent" : "money", act, `penalty ${key}`)),
        line("不低于", number(penalty, "floor_fen", "money", act, "penalty floor_fen")),
      ]),
    );
  }
  const groups = act.groups();
  rows.push(
    line("互斥组", choice("互斥组", [["", "不加入"], ...groups.map((name) => [name, name]), ["＋", "新的一组"]], rule.group ?? "", (name) => act.structure(() => join(rule, name === "＋" ? newGroup(groups) : name)))),
  );
  rows.push(line("成长基金", number(rule, "fund_bp", "percent", act)));
  const more = el("div", { class: "acts" });
  const offer = (label, key, value) =>
    !(key in rule) && more.append(el("button", { type: "button", class: "add", onclick: () => act.structure(() => (rule[key] = value)) }, label));
  if (rule.mode !== "cap") {
    offer("＋ 协作奖金", "collab", { when: "kind==upsell and closer!=original_seller", share_bp: 3000, to: "lead_provider" });
    offer("＋ 投诉扣减", "penalty", { per_complaint_fen: 50000, floor_fen: 0 });
  }
  return [rows, more];
}

function part(title, at, drop, rows) {
  return el("fieldset", { "data-at": at }, el("legend", {}, title, remove(`去掉${title}`, drop)), rows);
}

function line(label, ...controls) {
  return el("div", { class: "line" }, el("span", {}, label), el("span", { class: "row" }, controls));
}

function number(holder, key, unit, act, at = key) {
  const change = (text) => act.edit(() => keep(holder, key, text.trim() === "" ? "" : typed(text, unit)));
  return [field(LABELS[key], shown(holder[key], unit), change, { inputmode: "decimal", class: "short", "data-at": at }), el("span", { class: "unit" }, words[unit])];
}

function keep(holder, key, value) {
  if (value === "") delete holder[key];
  else holder[key] = value;
}

function whole(text) {
  return /^-?\d{1,9}$/.test(text.trim()) ? Number(text) : text;
}

function remove(label, onclick) {
  return el("button", { type: "button", class: "remove", "aria-label": label, title: label, onclick }, "×");
}

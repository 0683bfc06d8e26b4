// The right column: one customer's stream, as the bot keeps it.

import * as api from "./api.js";
import { h, safeUrl } from "./dom.js";
import { isRecording, voice } from "./media.js";
import { dateAndTime } from "./time.js";
import { pageOf } from "./store.js";
import { LIGHTS, LIVING } from "./words.js";

const REFRESH_MS = 4000;

/** Answers {refresh()}; also refreshes by itself while it can be seen. */
export function streamColumn(root, store) {
  const picker = h("select", { id: "customer", onchange: () => store.chooseCustomer(chosenId()) });
  const follow = h("input", { type: "checkbox", id: "follow", checked: true });
  const whole = h("a.whole", { target: "_blank" }, "客户页");
  const page = h("div.stream-page", { "aria-live": "polite" });
  let shown = "";
  let asked = 0;
  root.append(
    h("header.stream-head", {},
      h("label.visually-hidden", { for: "customer" }, "客户"), picker,
      h("label.check", { title: "对话里提到哪个客户，就显示哪个" }, follow, "跟随对话"), whole),
    page,
  );
  setInterval(() => document.hidden || refresh(), REFRESH_MS);

  store.subscribe((topic) => {
    if (topic === "world") drawPicker();
    if (topic === "customer") (drawPicker(), refresh());
    if (["customer", "chosen"].includes(topic) && store.me && store.customer !== null) {
      whole.href = pageOf(store.me, `/customers/${store.customer}`);
    }
  });

  const chosenId = () => store.customers.find(({ id }) => String(id) === picker.value)?.id ?? null;

  function drawPicker() {
    const names = store.customers.map(({ id, name }) => [String(id), name]);
    const now = [...picker.options].map(({ value, text }) => [value, text]);
    if (JSON.stringify(now) !== JSON.stringify(names)) {
      picker.replaceChildren(...names.map(([value, name]) => h("option", { value }, name)));
    }
    picker.disabled = !names.length;
    if (store.customer !== null) picker.value = String(store.customer);
    else if (names.length) store.chooseCustomer(store.customers[0].id);
    if (!names.length) page.replaceChildren(h("p.empty", {}, "还没有客户。对机器人说「新建客户」。"));
  }

  async function refresh() {
    if (store.customer === null) return;
    const turn = ++asked;
    try {
      const stream = await api.getStream(store.customer);
      if (turn === asked) draw(stream);
    } catch {
      // The connection state says it; the next round tries again.
    }
  }

  /** Only when something changed: a reader's place and selection stay. */
  function draw(stream) {
    const signature = JSON.stringify(stream);
    if (signature === shown) return;
    const known = new Set([...page.querySelectorAll("[data-activity]")].map(idOf));
    const isSameCustomer = page.dataset.customer === String(stream.customer.id);
    shown = signature;
    page.dataset.customer = stream.customer.id;
    page.replaceChildren(
      title(stream.customer),
      h("ul.opportunities", {}, stream.opportunities.map(opportunity)),
      h("h3", {}, "动态"),
      timeline(stream.activities),
    );
    if (isSameCustomer) markNew(page, known);
  }

  return { refresh, follows: () => follow.checked };
}

const idOf = (node) => node.dataset.activity;

function markNew(page, known) {
  for (const node of page.querySelectorAll("[data-activity]")) {
    if (!known.has(idOf(node))) node.classList.add("fresh");
  }
}

function title({ name, owner, industry }) {
  const about = [industry, owner ? `负责人 ${owner}` : ""].filter(Boolean).join(" · ");
  return h("div.customer", {}, h("h2", {}, name), h("p", {}, about));
}

function opportunity(lead) {
  const light = lead.light ?? "green";
  const living = lead.state === LIVING;
  const about = [lead.stage, lead.amount, living ? "" : lead.state];
  return h(
    "li.opportunity",
    { "data-light": light, "data-living": living },
    h("div.lead-top", {},
      h("strong", {}, lead.name),
      living ? h("span.light", { "data-light": light }, LIGHTS[light] ?? light) : null),
    h("p", {}, about.filter(Boolean).join(" · ")),
    living
      ? h("p.gap", {}, gapText(lead.gap_days),
        lead.stuck ? h("span.badge.stuck", { title: "在这一阶段停留太久" }, "停滞") : null)
      : null,
  );
}

function gapText(days) {
  return days ? `${days}个工作日没有有效跟进` : "计时不到1个工作日";
}

function timeline(activities) {
  if (!activities.length) return h("p.empty", {}, "还没有记录。");
  return h("ol.timeline", {}, activities.map(activity));
}

function activity(entry) {
  const { id, at, title: name, text, actor, valid, reason, late, files = [] } = entry;
  return h(
    "li",
    { "data-activity": id, "data-valid": Boolean(valid) },
    h("div.entry-top", {},
      h("strong", {}, name),
      valid ? h("span.badge.valid", {}, "有效") : null,
      late ? h("span.badge.late", {}, "补录") : null),
    h("p.entry-when", {}, [dateAndTime(new Date(at)), actor].filter(Boolean).join(" · ")),
    text ? h("p.entry-text", {}, text) : null,
    !valid && reason ? h("p.entry-reason", {}, reason) : null,
    files.length ? h("p.entry-files", {}, files.map(evidence)) : null,
  );
}

function evidence(file) {
  const { name, url } = file;
  const href = url ? safeUrl(url) : null;
  if (href && isRecording(file)) return voice(file);
  return href ? h("a", { href, target: "_blank", rel: "noopener" }, name) : h("span", {}, name);
}

// The sandbox's clock and its jumps.

import { h, icon } from "./dom.js";
import { atHour, dateAndTime, fromInput, showMoment, toInput, workdaysLater } from "./time.js";

const EDGE_PX = 12;

const JUMPS = [
  { label: "+1 小时", to: (now) => new Date(now.getTime() + 3600_000) },
  { label: "到明早 9:00", to: (now) => atHour(now, 1, 9) },
  { label: "+1 个工作日", to: (now) => workdaysLater(now, 1) },
  { label: "+6 个工作日", to: (now) => workdaysLater(now, 6) },
];

/** onJump(moment) answers a promise; the buttons wait for it. */
export function clockBar(root, store, onJump) {
  const face = h("time");
  const open = h("button.now", { type: "button", popovertarget: "jump-menu", title: "走时间" },
    face, icon("down"));
  const date = h("input", { type: "datetime-local", id: "jump-date", step: "60",
    oninput: () => showMoment(date) });
  const menu = h("div.menu", { id: "jump-menu", popover: "auto" },
    h("p.menu-title", {}, "沙盒的时钟只能向前走"),
    h("div.jumps", {}, JUMPS.map(jumpButton)),
    h("form", { onsubmit: jumpToDate },
      h("label.field", {}, h("span", {}, "走到"), date),
      h("button.primary", {}, "出发")));
  root.append(open, h("div.jumps.inline", {}, JUMPS.map(jumpButton)), menu);

  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    const room = window.innerWidth - menu.offsetWidth - EDGE_PX;
    menu.style.left = `${Math.max(EDGE_PX, Math.min(open.getBoundingClientRect().left, room))}px`;
    date.min = toInput(store.now());
    date.value = toInput(workdaysLater(store.now(), 1));
    showMoment(date);
  });
  store.subscribe((topic) => topic === "clock" && draw());
  setInterval(draw, 1000);

  function draw() {
    const text = dateAndTime(store.now());
    if (face.textContent !== text) face.textContent = text;
    face.dateTime = store.now().toISOString();
  }

  function jumpButton({ label, to }) {
    return h("button.quiet", { type: "button", onclick: () => jump(to(store.now())) }, label);
  }

  function jumpToDate(event) {
    event.preventDefault();
    if (date.value) jump(fromInput(date.value));
  }

  async function jump(moment) {
    menu.hidePopover();
    setBusy(true);
    await onJump(moment);
    setBusy(false);
  }

  function setBusy(busy) {
    root.toggleAttribute("data-busy", busy);
    for (const button of root.querySelectorAll("button")) button.disabled = busy;
  }
}

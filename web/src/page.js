// What every page does beyond plain HTML. All of it works without this file, only with more clicks.

import "htmx.org";
import { showDay } from "./days.js";

const root = document.documentElement;

/** Light or dark, as chosen; else as the system has it. */
document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  document.dispatchEvent(new Event("themechange"));
});

/** The page between a link in the chat and the session: it presses its own button. */
document.querySelector("form[data-go]")?.requestSubmit();

/** A bar with more than fits: says on which side there is more, and shows where one is. */
for (const bar of document.querySelectorAll("[data-scrolls]")) {
  const tell = () => {
    const rest = bar.scrollWidth - bar.clientWidth;
    const more = [bar.scrollLeft > 2 && "left", bar.scrollLeft < rest - 2 && "right"].filter(Boolean);
    if (more.length) bar.dataset.more = more.join(" ");
    else delete bar.dataset.more;
  };
  const here = bar.querySelector("[aria-current]");
  if (here) bar.scrollLeft = here.offsetLeft - bar.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
  bar.addEventListener("scroll", tell, { passive: true });
  bar.addEventListener("focusin", (event) => event.target.scrollIntoView({ block: "nearest", inline: "center" }));
  addEventListener("resize", tell);
  tell();
}

document.querySelectorAll("input[type=date]").forEach(showDay);
document.addEventListener("input", ({ target }) => target.type === "date" && showDay(target));

/** Copy a name or a number, to search for it in the chat program. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.createElement("textarea");
  field.value = button.dataset.copy;
  field.readOnly = true;
  field.className = "visually-hidden";
  button.after(field);
  field.select();
  let copied = false;
  try {
    await navigator.clipboard.writeText(field.value);
    copied = true;
  } catch {
    copied = document.execCommand("copy"); // older webviews, and pages without https
  }
  field.remove();
  button.focus();
  button.textContent = copied ? "已复制" : "请长按名字复制";
});

/** One recording at a time. */
document.addEventListener(
  "play",
  (event) => {
    for (const other of document.querySelectorAll("audio")) {
      if (other !== event.target) other.pause();
    }
  },
  true,
);

/** After «more», whoever uses the keyboard goes on with the first new entry. */
document.addEventListener("htmx:after:swap", () => {
  const first = document.querySelector("[data-first-new]");
  if (!first) return;
  first.removeAttribute("data-first-new");
  first.setAttribute("tabindex", "-1");
  first.focus({ preventScroll: true });
});
/** Nothing came back at all: said where it was asked for, and asked for once more from there. */
document.addEventListener("htmx:error", ({ target }) => {
  const note = target.parentElement.querySelector("[role=alert]") ?? document.createElement("p");
  note.className = "trouble";
  note.setAttribute("role", "alert");
  note.textContent = navigator.onLine ? "没有取到：服务器没有回应。" : "没有取到：这台设备现在没有网络。";
  target.before(note);
  target.textContent = "再试一次";
});

const PATIENCE_MS = 10_000;
/** What is being done is not done twice, and shows that it is under way; who has waited long may
    have stopped it. A form that is answered by a file leaves the page as it is. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || "answersWithFile" in form.dataset) return;
  if (Date.now() - (form.dataset.sent ?? 0) < PATIENCE_MS) return event.preventDefault();
  form.dataset.sent = Date.now();
  event.submitter?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
});

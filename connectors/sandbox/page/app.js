// Start here: builds the columns, keeps them live, and carries out what the visitor does.

import * as api from "./api.js";
import { clockBar } from "./clock.js";
import { composer } from "./composer.js";
import { conversationColumn } from "./conversation.js";
import { icon } from "./dom.js";
import { faultMenu } from "./faults.js";
import { Live } from "./live.js";
import { peopleColumn } from "./people.js";
import { personKey, receiversOf, Store } from "./store.js";
import { streamColumn } from "./stream.js";
import { dateAndTime } from "./time.js";
import { attempt, toast } from "./toast.js";

const WORKING_AFTER_MS = 400;

const part = (id) => document.getElementById(id);
const store = new Store();
const live = new Live(store, showLinkState);
const entered = new Set(); // chats with the application or a robot that were opened, by person

const talk = conversationColumn(part("talk"), store, { choose, press });
const write = composer(part("talk"), store, { say, sayFile, menu });
peopleColumn(part("people"), store, (person) => (choose(person), showView("chat"), write.focus()));
const stream = streamColumn(part("stream"), store);
clockBar(part("clock"), store, jump);
faultMenu(part("faults"));
themeButton(part("theme"));
viewSwitches();
store.subscribe((topic) => {
  if (topic === "world" && !store.me && store.people.length) choose(firstPerson());
});
live.run(heard);

function firstPerson() {
  return store.people.find((person) => person.roles.includes("rep")) ?? store.people[0];
}

function choose(person, chat = null) {
  store.choose(person, chat);
  follow(store.messages());
  const isOwn = !chat || (chat.robot && chat.members.length === 1);
  const place = `${personKey(person)}|${chat?.chat_id ?? ""}`;
  if (!isOwn || person.platform !== "wecom" || entered.has(place)) return;
  entered.add(place);
  attempt(() => api.enter(person.platform, person.user_id, chat?.chat_id));
}

function say(text) {
  const { me, chat } = store;
  return act(() => api.say(me.platform, me.user_id, chat?.chat_id ?? null, text));
}

function sayFile(kind, file) {
  const { me, chat } = store;
  return act(() => api.sayFile(me.platform, me.user_id, chat?.chat_id ?? null, kind, file));
}

function menu(key) {
  return act(() => api.clickMenu(store.me.platform, store.me.user_id, key));
}

function press(message, action, values) {
  return act(async () => {
    const answer = await api.press(message.message_id, store.me.user_id, action, values);
    if (answer.card) store.setCard(message, answer.card);
    if (answer.error) throw new api.Failure(answer.error);
    if (answer.card?.toast) toast(answer.card.toast);
  });
}

/** Do it, show that the bot is at work, and look again once it has finished. */
async function act(doing) {
  const done = await attempt(doing);
  if (done) settle();
  return done;
}

async function settle() {
  const timer = setTimeout(() => talk.setWorking(true), WORKING_AFTER_MS);
  await attempt(() => live.settle());
  clearTimeout(timer);
  talk.setWorking(false);
  stream.refresh();
}

async function jump(moment) {
  await attempt(async () => {
    const known = store.arrived.length;
    const { now } = await api.moveClock(moment);
    store.setNow(now);
    await live.settleEverywhere();
    await live.refreshWorld();
    stream.refresh();
    tellArrival(store.arrived.slice(known));
  });
}

/** After a jump: who got messages meanwhile, with a way to the first of them. */
function tellArrival(fresh) {
  const people = [...new Set(fresh.flatMap((message) => receiversOf(store, message)))];
  const place = `到了 ${dateAndTime(store.now())}`;
  if (!people.length) return toast(`${place}，没有新消息。`);
  const names = [...new Set(people.map(({ name }) => name))];
  const list = names.slice(0, 4).join("、") + (names.length > 4 ? ` 等 ${names.length} 人` : "");
  const look = () => (choose(people[0]), showView("chat"));
  return toast(`${place}，${list}有新消息。`, { action: { label: "去看看", run: look } });
}

/** What came in by itself. A customer named in the open conversation is shown beside it. */
function heard(fresh) {
  if (!fresh.length) return;
  const open = new Set(store.messages().map(({ message_id: id }) => id));
  const here = fresh.filter(({ message_id: id }) => open.has(id));
  follow(here);
  stream.refresh();
  refreshCustomers();
}

/** Show the customer that was named last. */
function follow(messages) {
  const named = messages.map(customerIn).findLast(Boolean);
  if (named && stream.follows()) store.chooseCustomer(named.id);
}

function customerIn({ text, card }) {
  const words = `${text} ${card ? JSON.stringify(card) : ""}`;
  return store.customers.find(({ name }) => words.includes(name));
}

let customersTimer = null;

/** A message may have brought a new customer; one look for a burst of messages. */
function refreshCustomers() {
  clearTimeout(customersTimer);
  customersTimer = setTimeout(() => live.refreshWorld().catch(() => {}), 1000);
}

function showLinkState(state) {
  const node = part("link-state");
  if (node.dataset.state === state) return;
  node.dataset.state = state;
  node.textContent = state === "online" ? "已连接" : "连接断了，正在重连";
}

function themeButton(button) {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const draw = () => button.replaceChildren(icon(isDark() ? "sun" : "moon"));
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("gendan-theme", root.dataset.theme);
    draw();
  });
  dark.addEventListener("change", draw);
  draw();
}

function viewSwitches() {
  for (const button of part("tabs").querySelectorAll("button")) {
    button.addEventListener("click", () => showView(button.dataset.view));
  }
  document.addEventListener("keydown", ({ key, defaultPrevented }) => {
    if (key === "Escape" && !defaultPrevented) showView("chat");
  });
  part("toggle-stream").addEventListener("click", () => {
    showView(document.body.dataset.view === "stream" ? "chat" : "stream");
  });
}

/** Which column a narrow window shows: "people", "chat" or "stream". */
function showView(view) {
  document.body.dataset.view = view;
  for (const button of part("tabs").querySelectorAll("button")) {
    if (button.dataset.view === view) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  part("toggle-stream").setAttribute("aria-expanded", String(view === "stream"));
}

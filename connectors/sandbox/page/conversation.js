// The middle column: the chosen person's conversations and what was said there.

import { cardView } from "./card.js";
import { h, icon } from "./dom.js";
import { renderMarkdown, renderText } from "./markdown.js";
import { fileLink, picture, voice } from "./media.js";
import { avatar } from "./people.js";
import { pageOf, personKey, same } from "./store.js";
import { dayLabel, dayNumber, timeOfDay } from "./time.js";
import { BOT_NAME, PLATFORMS, ROLES } from "./words.js";

const SHOWN_AT_ONCE = 200;
const NEAR_END_PX = 120;

/** acts: {choose(person, chat), press(message, action, values)}. Answers {setWorking(bool)}. */
export function conversationColumn(root, store, acts) {
  const head = h("header.talk-head");
  const log = h("div.log", { role: "log", "aria-label": "消息", tabindex: "0" });
  const working = h("p.working", { hidden: true }, h("span.dots", {}, h("i"), h("i"), h("i")),
    `${BOT_NAME}正在处理`);
  const drawn = new Map(); // message id -> {node, signature}
  let shownMost = SHOWN_AT_ONCE;
  let isAtEnd = true;
  let drawnHead = "";
  root.prepend(head, log);
  log.addEventListener("scroll", () => (isAtEnd = distanceToEnd() < NEAR_END_PX));
  log.addEventListener("load", stayAtEnd, { capture: true }); // a picture has its size now
  new ResizeObserver(stayAtEnd).observe(log);

  store.subscribe((topic) => {
    if (!store.me) return;
    if (topic === "chosen") restart();
    if (["chosen", "world", "messages"].includes(topic)) drawHead();
    if (topic === "messages") drawLog();
  });

  function restart() {
    drawn.clear();
    shownMost = SHOWN_AT_ONCE;
    isAtEnd = true;
    drawLog();
  }

  const distanceToEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight;

  function stayAtEnd() {
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }

  function drawHead() {
    const { me, chat } = store;
    const places = [null, ...store.chatsOf(me)];
    const signature = JSON.stringify([me, chat, places.map((place) => store.unread(me, place))]);
    if (signature === drawnHead) return; // whoever is on a tab with the keyboard stays there
    drawnHead = signature;
    const title = me.title || me.roles.map((role) => ROLES[role]).join("、");
    head.replaceChildren(
      avatar(me.name, personKey(me)),
      h("div.who", {}, h("strong", {}, me.name), h("span", {}, title),
        h("span.platform-name", {}, PLATFORMS[me.platform].name)),
      h("a.button.pages", { href: pageOf(me, "/customers"), target: "_blank",
        title: `以${me.name}的身份打开网页` }, "打开网页"),
      h("div.places", { role: "tablist", "aria-label": "会话" },
        places.map((place) => tab(place, place?.chat_id === chat?.chat_id))),
    );
  }

  function tab(place, isOpen) {
    const count = isOpen ? 0 : store.unread(store.me, place);
    return h(
      "button.place",
      { type: "button", role: "tab", "aria-selected": String(isOpen),
        onclick: () => acts.choose(store.me, place) },
      place ? place.name : BOT_NAME,
      count ? h("span.unread", { "aria-label": `${count} 条未读` }, count) : null,
    );
  }

  function drawLog() {
    const all = store.messages();
    const messages = all.slice(-shownMost);
    const nodes = [];
    if (messages.length < all.length) nodes.push(earlierButton());
    messages.forEach((message, index) => {
      if (startsDay(message, messages[index - 1])) nodes.push(dayMark(message));
      nodes.push(nodeOf(message));
    });
    if (!all.length) nodes.push(emptyNote());
    arrange(log, [...nodes, working]);
    isAtEnd ||= isMine(all.at(-1));
    stayAtEnd();
    if (!document.hidden) store.markSeen();
  }

  function earlierButton() {
    const more = () => ((shownMost += SHOWN_AT_ONCE), drawLog());
    return h("button.quiet.earlier", { type: "button", onclick: more }, "显示更早的消息");
  }

  function emptyNote() {
    if (store.chat) return h("p.empty", {}, "群里还没有消息。");
    return h("p.empty", {}, `跟${BOT_NAME}说一句话试试，比如下面的例句。`);
  }

  const isMine = (message) => Boolean(message) && same(message.from, store.me);

  /** A message is drawn anew only when it changed, so that a half-filled form stays. */
  function nodeOf(message) {
    const signature = JSON.stringify(message);
    const known = drawn.get(message.message_id);
    if (known?.signature === signature) return known.node;
    const node = drawMessage(message);
    drawn.set(message.message_id, { node, signature });
    return node;
  }

  function drawMessage(message) {
    const mine = isMine(message);
    const isBot = message.from.startsWith("bot:");
    const name = isBot ? BOT_NAME : (store.nameOf(message.platform, message.from) ?? message.from);
    const face = isBot
      ? h("img.avatar", { src: "/sandbox/assets/mark.svg", alt: "" })
      : avatar(name, `${message.platform}:${message.from}`);
    return h(
      "div.message",
      { "data-mine": mine, "data-id": message.message_id, "data-kind": message.kind },
      face,
      h("div.said", {},
        h("p.meta", {}, h("span", {}, mine ? "" : name),
          h("time", { datetime: message.at }, timeOfDay(new Date(message.at)))),
        message.recalled ? h("p.recalled", {}, "这条消息已撤回") : content(message)),
    );
  }

  function content(message) {
    if (message.kind === "card" && message.card) {
      return cardView(message.card, (action, values) => acts.press(message, action, values));
    }
    if (!message.file) return h("div.bubble", {}, ...words(message));
    const shown = { image: picture, voice, file: fileLink }[message.kind] ?? fileLink;
    const caption = message.text && message.text !== message.file.name ? words(message) : [];
    return h("div.bubble.with-file", {}, shown(message.file), ...caption);
  }

  return {
    setWorking(on) {
      working.hidden = !on;
      stayAtEnd();
    },
  };
}

function words(message) {
  if (message.kind === "markdown") return [renderMarkdown(message.text)];
  return [renderText(message.text)];
}

const moment = (message) => new Date(message.at);

function startsDay(message, before) {
  return !before || dayNumber(moment(before)) !== dayNumber(moment(message));
}

function dayMark(message) {
  return h("p.day", {}, h("span", {}, dayLabel(moment(message))));
}

/** Put the nodes in this order. Those that go are taken out first, so that none that stays is
 * moved: a field that is moved loses the keyboard. */
function arrange(parent, nodes) {
  const staying = new Set(nodes);
  for (const node of [...parent.childNodes]) if (!staying.has(node)) node.remove();
  nodes.forEach((node, index) => {
    if (parent.childNodes[index] !== node) parent.insertBefore(node, parent.childNodes[index] ?? null);
  });
}

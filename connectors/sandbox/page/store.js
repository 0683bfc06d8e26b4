// What the page knows: the emulated world, every message, and who the visitor plays.

const SEEN_KEY = "gendan-sandbox-seen";

/** Tells its listeners what changed: "world", "clock", "messages", "chosen" or "customer". */
export class Store {
  #listeners = [];
  #conversations = new Map(); // conversation key -> Map of message id -> message
  #seen = readSeen(); // "<person>|<conversation>" -> id of the last message looked at

  arrived = []; // every message, in the order in which it came to be known
  people = [];
  chats = [];
  customers = [];
  menus = {};
  me = null;
  chat = null;
  customer = null;
  #shiftMs = 0;

  subscribe(listener) {
    this.#listeners.push(listener);
  }

  #tell(topic) {
    for (const listener of this.#listeners) listener(topic);
  }

  /** The sandbox's time: runs like the browser's clock from where it was last set. */
  now() {
    return new Date(Date.now() + this.#shiftMs);
  }

  setNow(iso) {
    this.#shiftMs = new Date(iso).getTime() - Date.now();
    this.#tell("clock");
  }

  setWorld({ now, people, chats, customers, menus }) {
    Object.assign(this, { people, chats, customers, menus: menus ?? {} });
    this.setNow(now);
    this.#tell("world");
  }

  /** All there is: what was known before is of no matter, the sandbox may be a new one. */
  setMessages(messages) {
    this.#conversations.clear();
    this.arrived = [];
    this.#add(messages);
    this.#tell("messages");
  }

  /** Take over new messages and new states of known ones; answers those that are new. */
  merge(messages) {
    const fresh = this.#add(messages);
    if (messages.length) this.#tell("messages");
    return fresh;
  }

  #add(messages) {
    const fresh = [];
    for (const message of messages) {
      const key = conversationOf(message);
      if (!this.#conversations.has(key)) this.#conversations.set(key, new Map());
      const known = this.#conversations.get(key);
      if (!known.has(message.message_id)) fresh.push(message);
      known.set(message.message_id, message);
    }
    this.arrived.push(...fresh);
    return fresh;
  }

  setCard(message, card) {
    this.merge([{ ...message, card }]);
  }

  choose(person, chat = null) {
    this.me = person;
    this.chat = chat;
    this.markSeen();
    this.#tell("chosen");
  }

  chooseCustomer(id) {
    if (this.customer === id) return;
    this.customer = id;
    this.#tell("customer");
  }

  /** Messages of the open conversation, oldest first. */
  messages() {
    return this.#of(keyOf(this.me, this.chat));
  }

  chatsOf(person) {
    return this.chats.filter(
      (chat) => chat.platform === person.platform && chat.members.some((id) => same(id, person)),
    );
  }

  nameOf(platform, userId) {
    return this.people.find((one) => one.platform === platform && same(userId, one))?.name;
  }

  /** How many messages the person has not looked at, in one conversation or in all. */
  unread(person, chat = undefined) {
    const chats = chat === undefined ? [null, ...this.chatsOf(person)] : [chat];
    return chats.reduce((total, one) => total + this.#unreadIn(person, one), 0);
  }

  #unreadIn(person, chat) {
    const messages = this.#of(keyOf(person, chat));
    const seen = this.#seen[seenKey(person, chat)];
    const position = messages.findLastIndex((message) => message.message_id === seen);
    const later = messages.slice(position + 1);
    return later.filter((message) => !same(message.from, person)).length;
  }

  /** The open conversation has been looked at up to its end. */
  markSeen() {
    const last = this.me && this.messages().at(-1);
    if (!last) return;
    this.#seen[seenKey(this.me, this.chat)] = last.message_id;
    sessionStorage.setItem(SEEN_KEY, JSON.stringify(this.#seen));
  }

  #of(key) {
    return [...(this.#conversations.get(key)?.values() ?? [])];
  }
}

/** WeCom compares user ids without case. */
export function same(userId, person) {
  if (!userId) return false;
  const fold = (id) => (person.platform === "wecom" ? id.toLowerCase() : id);
  return fold(userId) === fold(person.user_id);
}

export const personKey = (person) => `${person.platform}:${person.user_id}`;

/** Where a page of the bot opens as that person sees it. */
export const pageOf = (person, path) =>
  `/sandbox/open?${new URLSearchParams({ platform: person.platform, user: person.user_id, path })}`;

/** People a message is for: one, or the members of its group. */
export function receiversOf(store, message) {
  const group = store.chats.find((chat) => chat.chat_id === message.chat);
  const ids = message.chat ? (group?.members ?? []) : [message.to];
  return store.people.filter(
    (person) =>
      person.platform === message.platform &&
      !same(message.from, person) &&
      ids.some((id) => same(id, person)),
  );
}

function keyOf(person, chat) {
  return conversationOf({
    platform: person.platform,
    chat: chat?.chat_id ?? null,
    to: person.user_id,
  });
}

function conversationOf({ platform, chat, to }) {
  if (chat) return `${platform}|group|${chat}`;
  return `${platform}|person|${platform === "wecom" ? to.toLowerCase() : to}`;
}

const seenKey = (person, chat) => `${personKey(person)}|${keyOf(person, chat)}`;

function readSeen() {
  try {
    return JSON.parse(sessionStorage.getItem(SEEN_KEY)) ?? {};
  } catch {
    return {};
  }
}

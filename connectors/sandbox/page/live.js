// Keeps the store up to date: one long poll for all messages, and a look back after each act.

import * as api from "./api.js";

const WAIT_S = 20;
const RETRY_MS = [500, 1000, 2000, 5000];

export class Live {
  #store;
  #onState;
  #cursor = null; // time of the newest change known, by the sandbox's clock
  #failures = 0;

  /** onState("online" | "offline"). */
  constructor(store, onState) {
    this.#store = store;
    this.#onState = onState;
  }

  /** Runs as long as the page does. onFresh is told of each message that came in. */
  async run(onFresh) {
    for (;;) {
      try {
        if (this.#cursor === null) await this.#start();
        onFresh(await this.#poll());
      } catch {
        await this.#failed();
      }
    }
  }

  /** Who, where and which customers; when they may have changed. */
  async refreshWorld() {
    this.#store.setWorld(await api.getWorld());
  }

  /** Wait until the bot has nothing left to do, then see what that changed. A card may have
   * changed in the same instant as another message came, so its conversation is read again. */
  async settle() {
    await api.quiesce();
    const { me, chat } = this.#store;
    const place = chat ? { chat: chat.chat_id } : { to: me.user_id };
    this.#take(await api.getMessages({ platform: me.platform, ...place }));
  }

  /** After a jump in time anybody may have been told anything. */
  async settleEverywhere() {
    await api.quiesce(60);
    this.#take(await api.getMessages({}));
  }

  async #start() {
    const world = await api.getWorld();
    const { messages } = await api.getMessages({});
    this.#store.setMessages(messages);
    this.#store.setWorld(world);
    this.#cursor = world.now;
    this.#failures = 0;
    this.#onState("online");
  }

  async #poll() {
    const found = await api.getMessages({ after: this.#cursor, wait: WAIT_S });
    for (const message of found.messages) {
      const changed = message.updated_at ?? message.at;
      if (new Date(changed) >= new Date(this.#cursor)) this.#cursor = changed;
    }
    return this.#take(found);
  }

  #take({ messages }) {
    return this.#store.merge(messages);
  }

  async #failed() {
    this.#onState("offline");
    this.#cursor = null; // it may come back as another, younger world
    const pause = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)];
    this.#failures += 1;
    await new Promise((resume) => setTimeout(resume, pause));
  }
}

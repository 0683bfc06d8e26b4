// The sandbox's stand-in for DingTalk's JSAPI (global `dd`): the client behind it is the emulator.
(() => {
  const CLIENT = "/sandbox/dingtalk/client";
  const ask = async (name, args) => {
    const answer = await fetch(`${CLIENT}/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ args, url: location.href }),
    });
    const result = await answer.json();
    if (result.errorCode !== undefined) throw result;
    return result;
  };

  let failed = () => {};
  let configured = null;

  /** Promises, and the older callbacks beside them. */
  const call = (name, { wantsConfig = true } = {}) => async (args = {}) => {
    const { onSuccess, onFail, success, fail, ...rest } = args;
    try {
      if (wantsConfig) await configured;
      const result = await ask(name, rest);
      (onSuccess ?? success)?.(result);
      return result;
    } catch (error) {
      (onFail ?? fail)?.(error);
      if (!onFail && !fail) throw error;
    }
  };

  window.dd = {
    env: { platform: "sandbox" },
    ready: (go) => Promise.resolve(configured).then(go, () => {}),
    error: (tell) => {
      failed = tell;
    },
    config(options) {
      configured = ask("config", options);
      configured.catch((error) => failed(error));
    },
    requestAuthCode: call("requestAuthCode", { wantsConfig: false }),
    openChatByUserId: call("openChatByUserId"),
    openChatByChatId: call("openChatByChatId"),
    openChatByConversationId: call("openChatByConversationId"),
  };
})();

// The sandbox's stand-in for WeCom's JS-SDK (global `ww`): the client behind it is the emulator.
(() => {
  const CLIENT = "/sandbox/wecom/client";
  const ask = async (name, body) => {
    const answer = await fetch(`${CLIENT}/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...body, url: location.href }),
    });
    const result = await answer.json();
    if (result.errMsg !== `${name}:ok`) throw result;
    return result;
  };

  let registered = null;
  let ready = null;

  /** Like the SDK's: signatures are asked for when the first function is called. */
  const configure = async () => {
    const { corpId, agentId, jsApiList = [] } = registered;
    const page = location.href.split("#")[0];
    const steps = [
      ["config", registered.getConfigSignature, registered.onConfigFail],
      ["agentConfig", registered.getAgentConfigSignature, registered.onAgentConfigFail],
    ];
    for (const [name, signature, failed] of steps) {
      if (!signature) continue;
      try {
        await ask(name, { corpId, agentId, jsApiList, ...(await signature(page)) });
      } catch (error) {
        failed?.(error);
        throw error;
      }
    }
  };

  const call = (name) => async (args = {}) => {
    if (!registered) throw { errMsg: `${name}:fail not registered` };
    ready ??= configure();
    try {
      await ready;
      const { success, fail, complete, ...rest } = args;
      const result = await ask(name, { args: rest });
      success?.(result);
      return result;
    } catch (error) {
      args.fail?.(error);
      throw error;
    }
  };

  const names = [
    "getContext", "getCurExternalContact", "getCurExternalChat",
    "openEnterpriseChat", "openExistedChatWithMsg",
  ];
  window.ww = {
    SDK_VERSION: "sandbox",
    register(options) {
      registered = options;
      ready = null;
    },
    ...Object.fromEntries(names.map((name) => [name, call(name)])),
  };
})();

// Pages inside WeCom or DingTalk: what only the client can do. The platform's own script (global
// `ww` or `dd`) comes before this one, and only where the page is shown in that client.

const meta = document.querySelector("meta[name=client]");
const platform = meta.dataset.platform;
const facts = JSON.parse(meta.content);

/** Signatures for this very page. */
const signatures = async () => {
  const page = encodeURIComponent(location.href.split("#")[0]);
  const answer = await fetch(`/client/signatures?url=${page}`);
  if (!answer.ok) throw new Error("no signatures");
  return answer.json();
};

/** Tell WeCom's script who we are; it asks for signatures when it needs them. */
const registerWecom = () => {
  let asked;
  const signed = (part) => async () => {
    asked ??= signatures();
    return (await asked)[part];
  };
  window.ww.register({
    corpId: facts.corpId,
    agentId: facts.agentId,
    jsApiList: facts.functions,
    getConfigSignature: signed("config"),
    getAgentConfigSignature: signed("agentConfig"),
  });
};

let configured;
/** DingTalk wants its signature before the first call, once a page. */
const configureDingtalk = () => {
  configured ??= signatures().then(
    (signed) =>
      new Promise((resolve, reject) => {
        window.dd.error(reject);
        window.dd.config({
          corpId: facts.corpId,
          agentId: facts.agentId,
          jsApiList: facts.functions,
          ...signed,
        });
        window.dd.ready(resolve);
      }),
  );
  return configured;
};

const call = {
  async wecom(name, args) {
    return window.ww[name](args);
  },
  async dingtalk(name, args) {
    await configureDingtalk();
    return window.dd[name](args);
  },
}[platform];

/** «打开聊天»: shown where this client can do it; what helps by hand stays beside it. */
const offerChats = () => {
  for (const button of document.querySelectorAll(`[data-open][data-on=${platform}]`)) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await call(button.dataset.open, JSON.parse(button.dataset.args));
      } catch {
        const how = button.closest(".chat").querySelector("[data-how]");
        how.textContent = `这里打不开。${how.textContent}`;
        how.setAttribute("role", "status");
        button.hidden = true;
      }
      button.disabled = false;
    });
  }
};

const fail = () => {
  document.querySelector("[data-doing]").hidden = true;
  document.querySelector("[data-failed]").hidden = false;
};

/** The side bar: whom is the member talking to? */
const findTheirPage = async () => {
  try {
    const { entry } = await window.ww.getContext();
    if (entry === "group_chat_tools") {
      const { chatId } = await window.ww.getCurExternalChat();
      location.replace(`/side/group/${encodeURIComponent(chatId)}`);
    } else {
      const { userId } = await window.ww.getCurExternalContact();
      location.replace(`/side/contact/${encodeURIComponent(userId)}`);
    }
  } catch {
    fail();
  }
};

/** DingTalk hands the page a code, by which the server learns who opened it. */
const signIn = async (form) => {
  try {
    const ask = window.dd.requestAuthCode ?? window.dd.runtime.permission.requestAuthCode;
    const code = await new Promise((resolve, reject) => {
      const { corpId, clientId } = facts;
      const onSuccess = (result) => resolve(result.code);
      ask({ corpId, clientId, onSuccess, onFail: reject, success: onSuccess, fail: reject });
    });
    form.elements.code.value = code;
    form.requestSubmit();
  } catch {
    fail();
  }
};

if (window.ww ?? window.dd) {
  if (platform === "wecom") registerWecom();
  offerChats();
  if (document.querySelector("[data-side]")) findTheirPage();
  const form = document.querySelector("form[data-sign-in]");
  if (form) signIn(form);
} else if (document.querySelector("[data-failed]")) {
  fail(); // the platform's script did not load
}

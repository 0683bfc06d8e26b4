// The words of the page that more than one part says.

export const PLATFORMS = {
  wecom: { name: "企业微信", mark: "企" },
  dingtalk: { name: "钉钉", mark: "钉" },
};

export const ROLES = {
  rep: "销售",
  supervisor: "主管",
  sales_director: "销售总监",
  csm: "客户成功",
  legal: "法务",
  finance: "财务",
  hrbp: "HRBP",
  product: "产品",
  warehouse: "仓储",
  planning: "计划",
  admin: "管理员",
};

export const LIGHTS = { green: "绿灯", yellow: "黄灯", red: "红灯" };

/** The state of an opportunity in which lights burn, as the stream words it. */
export const LIVING = "跟进中";

export const BOT_NAME = "跟单助手";
export const MENTION = "@跟单 ";

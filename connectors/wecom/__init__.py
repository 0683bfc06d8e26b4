"""WeCom (企业微信): callbacks, the API, intelligent robots (aibot). Sources are pages of
developer.work.weixin.qq.com, named by their numbers."""

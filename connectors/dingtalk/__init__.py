"""DingTalk. The numbers of «protocol notes» in this folder: docs/dingtalk-sources.md."""

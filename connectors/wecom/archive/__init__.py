"""WeCom's chat archive (会话内容存档), read by the official library in a process
of its own."""

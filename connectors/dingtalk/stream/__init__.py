"""DingTalk's Stream mode: connections that we open, over which pushes come."""

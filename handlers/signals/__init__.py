"""What customers do by themselves, in chat and on pages: links, heat, tasks, decay."""

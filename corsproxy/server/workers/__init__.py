"""Worker processes that share the listeners: their parent, their messages, and one worker."""

"""The inspector: a page on the admin listener that shows live requests, their decisions and the reasons.

    Recorder   in every process that serves: keeps the latest requests, bounded, at most so many a second
    Feed       in the process with the admin listener: queries the recorders while a page is open, and serves the pages
    Inspector  the page, its stream of events, and `explain` on the configuration in force, as pages of the listener

A request costs the proxy a comparison and, for those that are kept, one small dict; everything else happens only while
a page is open. Content is never seen; fields and query are shown on loopback alone, with whatever could be a login or
a key masked.
Decides nothing: the data path has decided, and `explain` says which line of the file it was.
"""

from corsproxy.server.inspector.recorder import Event, EventBudget, Recorder, merged, shows_fields

__all__ = ["Event", "EventBudget", "Recorder", "merged", "shows_fields"]

"""The inspector: a page on the admin listener that shows live requests, their decisions and the reasons.

    Recorder   in every process that serves: keeps the latest requests, with a limit in number and for each second
    Feed       in the process with the admin listener: collects the events of the recorders while a page is open
    Inspector  the page, its stream of events, and `explain` for the configuration in force

A request costs the proxy a comparison and, if it is kept, one small dict; everything else happens only while a page is
open. Content is never seen. Fields and query are shown on loopback only, and what could be a login or a key is masked.
Decides nothing: the data path has decided, and `explain` names the line of the file.
"""

from corsproxy.server.inspector.recorder import Event, EventBudget, Recorder, merged, shows_fields

__all__ = ["Event", "EventBudget", "Recorder", "merged", "shows_fields"]

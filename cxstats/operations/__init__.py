"""Event logs and what they say of a service: times, rates, ways, bottlenecks, savings."""

from cxstats.operations.automation import Saving, rpa_saving
from cxstats.operations.before_after import ProcessChange, process_change
from cxstats.operations.event_log import EventLog
from cxstats.operations.process import Process, process
from cxstats.operations.read_log import event_log

__all__ = [
    "EventLog",
    "Process",
    "ProcessChange",
    "Saving",
    "event_log",
    "process",
    "process_change",
    "rpa_saving",
]

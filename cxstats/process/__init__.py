"""Event logs and what they say of a service: times, rates, ways, bottlenecks, savings."""

from cxstats.process.change import ProcessChange, process_change
from cxstats.process.log import EventLog
from cxstats.process.reading import event_log
from cxstats.process.result import Process, process
from cxstats.process.saving import Saving, rpa_saving

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

"""Work that Spark's Python workers do on the partitions of a table, where they lie.

Executors need what Spark's own Arrow functions need (numpy, pandas, pyarrow) and the minor version
of Python that is used here, but not cxstats: the code travels with the job. A table goes through
once, whatever is computed from its columns: Spark's planner sees one operation, not its formulas.
"""

from __future__ import annotations

import pickle
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from cxstats.core.errors import DataError


class Job(Protocol):
    """What is done with a partition; it is pickled with the modules of cxstats behind it."""

    def of_batches(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield what batches of Arrow come to."""


def collected(native: Any, job: Job) -> list[Any]:
    """Return what a job yields of every partition of a Spark table, in their order.

    Raises
    ------
    DataError
        If the job fails, with Spark's reason.
    """
    with spark_errors():
        rows = native.mapInArrow(_worker(job, pickled=True), "part binary").collect()
    return [pickle.loads(bytes(row[0])) for row in rows]


def mapped(native: Any, job: Job, schema: str) -> Any:
    """Return a Spark table of the Arrow batches that a job yields; nothing is computed yet."""
    with spark_errors():
        return native.mapInArrow(_worker(job, pickled=False), schema)


@contextmanager
def spark_errors() -> Iterator[None]:
    """Turn what Spark raises into an error of this package."""
    try:
        with warnings.catch_warnings():
            # Spark warns of every pandas newer than itself; this job asks nothing of it but codes.
            warnings.filterwarnings("ignore", "PySpark does not yet", FutureWarning)
            yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("pyspark", "py4j"):
            raise
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise DataError(
            f"Spark could not add up the table: {reason}; its workers need Python {version} with "
            "numpy, pandas and pyarrow"
        ) from error


def _worker(job: Job, pickled: bool) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Return what a worker of Spark runs over a partition: it needs nothing of cxstats there.

    The modules behind it are pickled as they are here; only numpy, pandas and pyarrow are imported
    over there.
    """
    from pyspark import cloudpickle

    package = sys.modules[__name__.partition(".")[0]]
    registered = package.__name__ in cloudpickle.list_registry_pickle_by_value()
    if not registered:
        cloudpickle.register_pickle_by_value(package)
    try:
        carried = cloudpickle.dumps(job)
    finally:
        if not registered:
            cloudpickle.unregister_pickle_by_value(package)

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        import pickle

        import pyarrow as pa

        for part in pickle.loads(carried).of_batches(batches):
            if pickled:
                column = pa.array([pickle.dumps(part)], pa.binary())
                yield pa.RecordBatch.from_arrays([column], ["part"])
            else:
                yield part

    # A function inside a function travels by value; so does this, wherever it is called from.
    work.__module__ = "__main__"
    return work

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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.row_formulas import Steps, needed_steps, values_of_steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Job(Protocol):
    """What is done with a partition; it is pickled with the modules of cxstats behind it."""

    def of_batches(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield what batches of Arrow come to."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkerRows:
    """Rows of a table in a worker of Spark, with the columns that are computed there.

    The columns of a batch are those of the table that are needed, in order, then the groups.
    """

    wanted: tuple[str, ...]
    steps: Steps
    needed: tuple[str, ...]

    @classmethod
    def of(cls, wanted: Iterable[str], steps: Steps) -> WorkerRows:
        """Return the rows of a job that wants some columns, of a table or of steps."""
        wanted = tuple(wanted)
        return cls(wanted, *needed_steps(steps, wanted))

    def select(self, table: Any, by: str | None = None) -> Any:
        """Return the Spark table with the columns needed, under plain names."""
        import narwhals as nw

        columns = [nw.col(name).alias(f"c{i}") for i, name in enumerate(self.needed)]
        groups = [] if by is None else [nw.col(by).alias("by")]
        # Without any column there would be no rows to count.
        return table.select(*(columns + groups or [nw.lit(1).alias("row")])).to_native()

    def values(self, batch: Any) -> Array:
        """Return the columns wanted of a batch of Arrow, (k, rows)."""
        columns = {
            name: np.asarray(batch.column(i).to_numpy(zero_copy_only=False), np.float64)
            for i, name in enumerate(self.needed)
        }
        columns = values_of_steps(columns, self.steps, batch.num_rows)
        return np.stack([columns[name] for name in self.wanted])


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

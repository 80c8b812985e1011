"""The same table in every engine that is installed."""

from __future__ import annotations

from importlib.util import find_spec

import pandas as pd
import pytest

SPARK = pytest.mark.spark
MODULES = {"ibis": "ibis", "dask": "dask", "sqlframe": "sqlframe"}
ENGINES = [
    "pandas", "pandas of Arrow", "polars", "polars lazy", "pyarrow", "duckdb",
    *(
        pytest.param(engine, marks=pytest.mark.skipif(
            find_spec(module) is None, reason=f"{module} is not installed"))
        for engine, module in MODULES.items()
    ),
    pytest.param("spark", marks=SPARK),
]  # fmt: skip


def as_engine(frame: pd.DataFrame, engine: str, spark=None):
    """Return a pandas frame as the table of an engine."""
    import duckdb
    import polars as pl
    import pyarrow as pa

    arrow = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    makers = {
        "pandas": lambda: frame,
        "pandas of Arrow": lambda: arrow.to_pandas(types_mapper=pd.ArrowDtype),
        "polars": lambda: pl.from_arrow(arrow),
        "polars lazy": lambda: pl.from_arrow(arrow).lazy(),
        "pyarrow": lambda: arrow,
        "duckdb": lambda: duckdb.from_arrow(arrow),
        "ibis": lambda: _ibis(arrow),
        "dask": lambda: _dask(arrow),
        "sqlframe": lambda: _sqlframe(arrow),
        "spark": lambda: spark.createDataFrame(arrow),
    }
    return makers[engine]()


def _ibis(arrow):
    import ibis

    return ibis.memtable(arrow)


def _dask(arrow):
    import dask.dataframe as dd

    return dd.from_pandas(arrow.to_pandas(types_mapper=pd.ArrowDtype), npartitions=3)


def _sqlframe(arrow):
    from sqlframe.duckdb import DuckDBSession

    session, name = DuckDBSession(), f"table{arrow.num_rows}"
    session._conn.register("arrow", arrow)
    session._conn.execute(f"create or replace table {name} as select * from arrow")
    return session.table(name)

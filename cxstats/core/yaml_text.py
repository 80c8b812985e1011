"""YAML of others, bounded before it is read, with the line of what is wrong in it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from cxstats.core.errors import DataError
from cxstats.core.messages import excerpt

# What a file may hold: more than any questionnaire or map has, less than a machine can bear.
LARGEST = 10_000_000  # bytes
DEEPEST = 20  # levels of lists and mappings
MOST_VALUES = 500_000  # with what aliases repeat


def parse_yaml(source: bytes, name: str) -> Any:
    """Return what YAML in UTF-8 holds, as plain lists, mappings and scalars.

    Parameters
    ----------
    source : bytes
        Of a file; with or without a byte-order mark.
    name : str
        What a message calls the file.

    Raises
    ------
    DataError
        Naming the file, and the line where there is one: if it is not UTF-8 or not YAML, nested too
        deep or too large, or names a key twice.

    Examples
    --------
    >>> parse_yaml(b"scale: [1, 7]", "map.yml")
    {'scale': [1, 7]}
    """
    import yaml

    try:
        return _load(source.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: not UTF-8 at byte {error.start}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise DataError(f"{name}: not YAML{where}") from error
    except DataError:
        raise
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        # A date of month 13, a number of 5,000 digits, a word marked as a number.
        why = str(error).split(";")[0]
        raise DataError(f"{name}: a value cannot be read: {why}") from error


def _load(text: str, name: str) -> Any:
    import yaml

    safe_loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    _refuse_unbounded(text, name, safe_loader)

    class Loader(safe_loader):  # type: ignore[misc]
        """YAML in which a key stands once; PyYAML keeps the last of two in silence."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = set()
            for key_node, _ in node.value:
                line = key_node.start_mark.line + 1
                key = self.construct_object(key_node, deep=True)
                if not isinstance(key, Hashable):
                    raise DataError(f"{name}, line {line}: a list or mapping cannot be a key")
                if key in keys:
                    raise DataError(f"{name}, line {line}: key {excerpt(key)} stands twice")
                keys.add(key)
            return super().construct_mapping(node, deep)

    return yaml.load(text, Loader)


def _refuse_unbounded(text: str, name: str, loader: Any) -> None:
    """Raise if the file is too deep, or holds too much once its aliases are written out.

    Reads the marks of the file alone, so it takes no more room than the text.
    """
    import yaml

    opened: list[tuple[str | None, int]] = []  # anchor of each open list or mapping, and its place
    sizes: dict[str, int] = {}  # values below an anchor, aliases written out
    n = 0
    for event in yaml.parse(text, loader):
        anchor = getattr(event, "anchor", None)
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            if anchor in [open_anchor for open_anchor, _ in opened]:
                raise DataError(f"{name}, line {line}: {excerpt(anchor)} contains itself")
            n += sizes.get(anchor or "", 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((anchor, n))
            n += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, start = opened.pop()
            sizes |= {anchor: n - start} if anchor else {}
        elif isinstance(event, yaml.ScalarEvent):
            n += 1
            sizes |= {anchor: 1} if anchor else {}
        if len(opened) > DEEPEST:
            raise DataError(f"{name}, line {line}: nested deeper than {DEEPEST} levels")
        if n > MOST_VALUES:
            raise DataError(
                f"{name}, line {line}: more than {MOST_VALUES:,} values, aliases written out"
            )

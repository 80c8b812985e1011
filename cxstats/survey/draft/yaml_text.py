"""A codebook as YAML that a person corrects: a comment on every line that has evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from cxstats.core.language import Text, label
from cxstats.core.messages import cut, printable

LONGEST_COMMENT = 300
LONGEST_KEY = 1_000  # YAML reads no longer one before a colon
INDENT = "  "
# Lists of columns or items: one a line, so that a line moves or goes.
BLOCKS = {"constructs", "reverse", "other", "personal", "missing", "groups"}
SHORT = 100  # characters of a question that stands on one line

Comments = Mapping[tuple[Any, ...], tuple[Text, bool]]


def as_yaml(content: Mapping[str, Any], comments: Comments, head: Sequence[str], lang: str) -> str:
    """Return YAML of a codebook, with comments.

    Parameters
    ----------
    content : mapping
        A codebook as plain lists and dictionaries.
    comments : mapping of tuple to (Text, bool)
        Keys from the top to what is commented; the evidence, and whether it is doubtful.
    head : sequence of str
        Lines of comment at the top.
    lang : {"en", "zh"}
    """
    lines = [f"# {_plain(line)}" for line in head]
    for key, value in content.items():
        lines += _lines((key,), value, comments, lang)
    return "\n".join(lines) + "\n"


def _lines(path: tuple[Any, ...], value: Any, comments: Comments, lang: str) -> Iterator[str]:
    """Yield the lines of a key and what is below it."""
    indent, key = INDENT * (len(path) - 1), scalar(path[-1])
    if len(key) > LONGEST_KEY:  # longer ones have to stand on a line of their own
        yield f"{indent}? {key}"
        key = ""
    comment = _comment(path, comments, lang)
    flow = _flow(value)
    on_one_line = path[0] == "questions" and len(path) == 2 and len(flow) <= SHORT
    if isinstance(value, dict) and value and not on_one_line:
        yield f"{indent}{key}:{comment}"
        for name, entry in value.items():
            yield from _lines((*path, name), entry, comments, lang)
    elif isinstance(value, list) and value and path[0] in BLOCKS and len(path) <= 2:
        yield f"{indent}{key}:{comment}"
        for entry in value:
            entry_comment = _comment((*path, entry), comments, lang)
            yield f"{indent}{INDENT}- {scalar(entry)}{entry_comment}"
    else:
        yield f"{indent}{key}: {flow}{comment}"


def _comment(path: tuple[Any, ...], comments: Comments, lang: str) -> str:
    if path not in comments:
        return ""
    evidence, doubt = comments[path]
    text = evidence.get(lang)
    if doubt:
        text = label("survey.draft.check", lang, text=text)
    return f"  # {_plain(text)}"


def _plain(text: str) -> str:
    return cut(printable(" ".join(text.split())), LONGEST_COMMENT)


def _flow(value: Any) -> str:
    return scalar(value) if not isinstance(value, dict | list) else _dumped(value)


def scalar(value: Any) -> str:
    r"""Return a value of YAML on one line.

    Examples
    --------
    >>> scalar("感受 - 设备"), scalar("no"), scalar("a: b"), scalar(-99), scalar("two\nlines")
    ('感受 - 设备', "'no'", "'a: b'", '-99', '"two\\nlines"')
    """
    return _dumped([value])[1:-1]


def _dumped(value: Any) -> str:
    style = '"' if _needs_escapes(value) else None
    text = yaml.dump(
        value, Dumper=yaml.SafeDumper, allow_unicode=True, default_flow_style=True,
        default_style=style, width=float("inf"), sort_keys=False,
    )  # fmt: skip
    return str(text).strip()


def _needs_escapes(value: Any) -> bool:
    """Return whether a text holds what would not stand on one line as it is."""
    if isinstance(value, str):
        return not value.isprintable() or value != value.strip()
    if isinstance(value, dict):
        return any(map(_needs_escapes, (*value, *value.values())))
    return isinstance(value, list | tuple) and any(map(_needs_escapes, value))

"""A model as a list of parameters: what was written, and what lavaan would add to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, NamedTuple

from cxstats.core.errors import CxError
from cxstats.models.sem.syntax import Constraint, Definition, Syntax, Term


class Parameter(NamedTuple):
    """One number of the model: a loading, a path, a covariance or an intercept.

    Attributes
    ----------
    lhs, op, rhs : str
        As in the syntax; `op` is one of ``=~ ~ ~~ ~1``.
    group : int
        Place of the group, from 0.
    label : str
        Parameters of one label are equal.
    fixed : float or None
        The value, where it is not estimated.
    start : float or None
        Where to begin, if the user said so.
    written : bool
        Whether the user wrote it; the rest are defaults.
    exogenous : bool
        Moments of observed predictors, taken as the sample has them.
    """

    lhs: str
    op: str
    rhs: str
    group: int = 0
    label: str = ""
    fixed: float | None = None
    start: float | None = None
    written: bool = True
    exogenous: bool = False

    def __str__(self) -> str:
        return self.lhs + " ~ 1" if self.op == "~1" else f"{self.lhs} {self.op} {self.rhs}"


@dataclass(frozen=True, eq=False)
class Model:
    """A model with lavaan's defaults filled in.

    Attributes
    ----------
    latents, observed : tuple of str
        The variables; observed in the order of the moments.
    parameters : tuple of Parameter
        First the written ones in their order, then the defaults; group after group, the same
        in every group but for values and labels.
    n_groups : int
        Groups.
    means : bool
        Whether the model is one of means as well.
    definitions, constraints : tuples
        What ``:=`` and ``== < >`` said.
    text : str
        The model as written.
    """

    latents: tuple[str, ...]
    observed: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    n_groups: int
    means: bool
    definitions: tuple[Definition, ...]
    constraints: tuple[Constraint, ...]
    text: str

    @property
    def one_group(self) -> tuple[Parameter, ...]:
        """The parameters of the first group."""
        return self.parameters[: len(self.parameters) // self.n_groups]

    @cached_property
    def endogenous(self) -> tuple[str, ...]:
        """Variables with an arrow into them, indicators among them."""
        into = {p.lhs if p.op == "~" else p.rhs for p in self.one_group if p.op in ("=~", "~")}
        return tuple(name for name in (*self.observed, *self.latents) if name in into)

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """Variables on the left of a regression."""
        return tuple(dict.fromkeys(p.lhs for p in self.one_group if p.op == "~"))


def build(
    syntax: Syntax,
    *,
    n_groups: int = 1,
    std_lv: bool = False,
    orthogonal: bool = False,
    fixed_x: bool = True,
    means: bool | None = None,
    equal: Sequence[str] = (),
    check: bool = True,
) -> Model:
    """Fill in what lavaan's ``sem()`` and ``cfa()`` take for granted.

    The first loading of every latent is 1 (or, with `std_lv`, its variance); exogenous latents
    covary; residuals of variables that are explained and explain nothing covary; every variable
    has a variance; the moments of observed predictors are the sample's (`fixed_x`); an item that
    is the only one of its latent has no residual variance.

    Parameters
    ----------
    syntax : Syntax
        What the user wrote.
    n_groups : int
        Groups; labels in ``c(...)`` have to fit.
    std_lv : bool
        Scale latents by their variance instead of a marker.
    orthogonal : bool
        Leave the covariances of exogenous latents at zero.
    fixed_x : bool
        Take moments of observed predictors as given.
    means : bool, optional
        Model the means too; without it, where an intercept is written or there are groups.
    equal : sequence of {"loadings", "intercepts", "residuals"}
        What is equal over the groups; with intercepts equal, latent means are free but in the
        first group.
    check : bool
        Whether modifiers have to fit the number of groups; False to learn the variables first.

    Raises
    ------
    CxError
        If a modifier has another number of groups than the data, or a composite (``<~``) is
        in the model.
    """
    for term in syntax.terms:
        if term.op == "<~":
            raise syntax.error(term, f"'{term.lhs} <~': composites are for cx.pls, not cx.sem")
    by_hand = any(term.op == "~1" for term in syntax.terms)
    means = (by_hand or n_groups > 1) if means is None else means or by_hand
    written = [list(_modified(term, n_groups, check)) for term in syntax.terms]
    latents = tuple(syntax.latents)
    observed = _observed(syntax.terms, latents)
    defaults = _defaults(syntax.terms, latents, observed, orthogonal, fixed_x, means, std_lv)
    markers = set() if std_lv else _markers(syntax.terms)
    parameters = []
    for group in range(n_groups):
        for term, modified in zip(syntax.terms, written, strict=True):
            own = modified[group]
            marked = term in markers and own.fixed is None and not _freed(term, group)
            parameters.append(own._replace(fixed=1.0) if marked else own)
        parameters += [one._replace(group=group) for one in defaults]
    if equal:
        parameters = [_equal(one, equal, latents) for one in parameters]
    return Model(
        latents,
        observed,
        tuple(parameters),
        n_groups,
        means,
        syntax.definitions,
        syntax.constraints,
        syntax.text,
    )


def _modified(term: Term, n_groups: int, check: bool) -> Iterator[Parameter]:
    """Yield the parameter of a term in every group."""

    def of_groups(values: tuple[Any, ...], what: str) -> tuple[Any, ...]:
        if len(values) in (0, 1):
            return (values or (None,)) * n_groups
        if len(values) != n_groups and not check:
            return values[:1] * n_groups
        if len(values) != n_groups:
            raise CxError(
                f"line {term.line}: {term.lhs} {term.op} {term.rhs} has {len(values)} {what} for "
                f"{n_groups} {'group' if n_groups == 1 else 'groups'}"
            )
        return values

    fixed = of_groups(term.fixed, "values")
    labels = of_groups(term.labels, "labels")
    starts = of_groups(term.start, "starts")
    for group in range(n_groups):
        yield Parameter(
            term.lhs, term.op, term.rhs, group, labels[group] or "", fixed[group], starts[group]
        )


def _equal(p: Parameter, equal: Sequence[str], latents: tuple[str, ...]) -> Parameter:
    """Return a parameter under the label that makes it equal over the groups."""
    if p.op == "~1" and p.lhs in latents:
        free = "intercepts" in equal and p.group > 0 and not p.written
        return p._replace(fixed=None) if free else p
    own = p.lhs == p.rhs and p.lhs not in latents
    kind = {"=~": "loadings", "~1": "intercepts", "~~": "residuals" if own else ""}.get(p.op, "")
    if kind not in equal or p.fixed is not None or p.label or p.exogenous:
        return p
    return p._replace(label=f"{p.lhs} {p.op} {p.rhs}".strip())


def _freed(term: Term, group: int) -> bool:
    """Return whether ``NA*`` frees the parameter."""
    if not term.fixed:
        return False
    return (term.fixed[group] if len(term.fixed) > 1 else term.fixed[0]) is None


def _markers(terms: Iterable[Term]) -> set[Term]:
    first: dict[str, Term] = {}
    for term in terms:
        if term.op == "=~":
            first.setdefault(term.lhs, term)
    return set(first.values())


def _observed(terms: Sequence[Term], latents: tuple[str, ...]) -> tuple[str, ...]:
    """Return the observed variables: indicators first, then in the order of the text."""
    indicators = [term.rhs for term in terms if term.op == "=~"]
    others = [name for t in terms for name in (t.lhs, t.rhs) if name]
    return tuple(n for n in dict.fromkeys(indicators + others) if n not in latents)


def _defaults(
    terms: Sequence[Term],
    latents: tuple[str, ...],
    observed: tuple[str, ...],
    orthogonal: bool,
    fixed_x: bool,
    means: bool,
    std_lv: bool,
) -> list[Parameter]:
    """Return the parameters that nobody wrote."""
    indicators = {t.rhs for t in terms if t.op == "=~"}
    explained = {t.lhs for t in terms if t.op == "~"}
    explaining = {t.rhs for t in terms if t.op == "~"}
    touched = {n for t in terms if t.op in ("~~", "~1") for n in (t.lhs, t.rhs)}
    known = {(t.lhs, t.rhs) for t in terms if t.op == "~~"}
    known |= {(b, a) for a, b in known}
    x = [n for n in observed if n in explaining and n not in explained | indicators | touched]
    given = set(x) if fixed_x else set()
    alone = _only_items(terms) - {t.lhs for t in terms if t.op == "~~" and t.lhs == t.rhs}

    def variances(names: Iterable[str], fixed: dict[str, float]) -> list[Parameter]:
        return [
            Parameter(n, "~~", n, fixed=fixed.get(n), written=False, exogenous=n in given)
            for n in names
            if (n, n) not in known
        ]

    def covariances(names: Iterable[str], exogenous: bool = False) -> list[Parameter]:
        return [
            Parameter(a, "~~", b, written=False, exogenous=exogenous)
            for a, b in combinations(names, 2)
            if (a, b) not in known
        ]

    added = variances(observed, dict.fromkeys(alone, 0.0))
    added += variances(latents, dict.fromkeys(latents, 1.0) if std_lv else {})
    outside = [n for n in latents if n not in explained | indicators]
    pairs = covariances(outside)
    added += [one._replace(fixed=0.0) for one in pairs] if orthogonal else pairs
    ends = [n for n in (*latents, *observed) if n in explained and n not in explaining]
    added += covariances([n for n in ends if n in latents or n not in indicators])
    added += covariances(x, exogenous=fixed_x)
    if means:
        own = {t.lhs for t in terms if t.op == "~1"}
        added += [
            Parameter(
                n,
                "~1",
                "",
                fixed=0.0 if n in latents else None,
                written=False,
                exogenous=n in given,
            )
            for n in (*observed, *latents)
            if n not in own
        ]
    return added


def _only_items(terms: Sequence[Term]) -> set[str]:
    """Return items that are the only one of their latent and measure nothing else."""
    of_latent: dict[str, list[str]] = {}
    for term in terms:
        if term.op == "=~":
            of_latent.setdefault(term.lhs, []).append(term.rhs)
    measured = [item for items in of_latent.values() for item in items]
    return {
        items[0]
        for items in of_latent.values()
        if len(items) == 1 and measured.count(items[0]) == 1 and items[0] not in of_latent
    }

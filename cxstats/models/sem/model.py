"""A model as a list of parameters: what was written, and what lavaan would add to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, NamedTuple

from cxstats.core.errors import CxError
from cxstats.models.sem.syntax import Constraint, Definition, Syntax, Term

# What can be equal over groups, by the operator of the parameters.
EQUAL = {"=~": "loadings", "~1": "intercepts", "~~": "residuals"}


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
    pooled : tuple of (str, str)
        Labels that were written once for several groups, and the variable of each.
    """

    latents: tuple[str, ...]
    observed: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    n_groups: int
    means: bool
    definitions: tuple[Definition, ...]
    constraints: tuple[Constraint, ...]
    text: str
    pooled: tuple[tuple[str, str], ...] = ()

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

    @cached_property
    def loop(self) -> tuple[str, ...]:
        """Outcomes that explain themselves by way of others."""
        causes = {
            y: {p.rhs for p in self.one_group if (p.op, p.lhs) == ("~", y)} for y in self.outcomes
        }
        for _ in self.outcomes:
            for names in causes.values():
                names |= {z for name in tuple(names) for z in causes.get(name, ())}
        return tuple(name for name, behind in causes.items() if name in behind)


@dataclass(frozen=True, slots=True)
class Roles:
    """Which part variables play in the terms of a model.

    Attributes
    ----------
    latents, observed : tuple of str
        The variables; indicators come first among the observed ones.
    exogenous_latents : tuple of str
        Latents that nothing explains or measures.
    outcomes : tuple of str
        Variables that are explained, and explain nothing; indicators are none.
    predictors : tuple of str
        Observed variables that only explain, and of which no covariance or intercept is written.
    single_items : tuple of str
        Items that are the only one of their latent, and measure nothing else.
    """

    latents: tuple[str, ...]
    observed: tuple[str, ...]
    exogenous_latents: tuple[str, ...]
    outcomes: tuple[str, ...]
    predictors: tuple[str, ...]
    single_items: tuple[str, ...]

    @classmethod
    def of(cls, syntax: Syntax) -> Roles:
        """Return the roles of the variables of a model."""
        terms, latents = syntax.terms, tuple(syntax.latents)
        is_latent = set(latents)
        loadings = [(t.lhs, t.rhs) for t in terms if t.op == "=~"]
        indicators = {rhs for _, rhs in loadings}
        explained = {t.lhs for t in terms if t.op == "~"}
        explaining = {t.rhs for t in terms if t.op == "~"}
        moments = {name for t in terms if t.op in ("~~", "~1") for name in (t.lhs, t.rhs)}
        names = [rhs for _, rhs in loadings]
        names += [name for t in terms for name in (t.lhs, t.rhs) if name]
        observed = tuple(name for name in dict.fromkeys(names) if name not in is_latent)
        only_explaining = explaining - explained - indicators - moments
        ends = [n for n in (*latents, *observed) if n in explained and n not in explaining]
        return cls(
            latents,
            observed,
            tuple(n for n in latents if n not in explained and n not in indicators),
            tuple(n for n in ends if n in is_latent or n not in indicators),
            tuple(n for n in observed if n in only_explaining),
            _single_items(loadings),
        )


def _single_items(loadings: list[tuple[str, str]]) -> tuple[str, ...]:
    items = Counter(item for _, item in loadings)
    latents = Counter(latent for latent, _ in loadings)
    return tuple(
        item
        for latent, item in loadings
        if latents[latent] == 1 and items[item] == 1 and item not in latents
    )


def refuse_composites(syntax: Syntax) -> None:
    """Raise if a composite (``<~``) is in the model.

    Raises
    ------
    ModelSyntaxError
        With its place.
    """
    composite = next((term for term in syntax.terms if term.op == "<~"), None)
    if composite:
        reason = f"'{composite.lhs} <~': composites are for cx.pls, not cx.sem"
        raise syntax.error(composite, reason)


def refuse_circles(syntax: Syntax) -> None:
    """Raise if latents measure each other, or themselves: then nothing measures them.

    Raises
    ------
    ModelSyntaxError
        With the place of the formula that closes the circle.
    """
    measured: dict[str, list[Term]] = {}
    for loading in syntax.terms:
        if loading.op == "=~":
            measured.setdefault(loading.lhs, []).append(loading)
    finished: set[str] = set()
    for first, terms in measured.items():
        path = {first: iter(terms)}
        while path:
            latent = next(reversed(path))
            term: Term | None = next((t for t in path[latent] if t.rhs in measured), None)
            if term is None:
                finished.add(latent)
                del path[latent]
            elif term.rhs in path:
                circle = [*list(path)[list(path).index(term.rhs) :], term.rhs]
                raise syntax.error(
                    term,
                    f"latents measure each other in a circle ({' =~ '.join(circle)}): one has to "
                    "be measured by items, or by latents that do not lead back to it",
                )
            elif term.rhs not in finished:
                path[term.rhs] = iter(measured[term.rhs])


def build(
    syntax: Syntax,
    *,
    n_groups: int = 1,
    std_lv: bool = False,
    orthogonal: bool = False,
    fixed_x: bool = True,
    means: bool | None = None,
    equal: Sequence[str] = (),
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
        first group, and with loadings equal, latent variances are under `std_lv`: the loadings
        carry the unit of the first group to the others.

    Raises
    ------
    CxError
        If a modifier has another number of groups than the data, or a composite (``<~``) is
        in the model.
    """
    refuse_composites(syntax)
    refuse_circles(syntax)
    intercepts = any(term.op == "~1" for term in syntax.terms)
    means = (intercepts or n_groups > 1) if means is None else means or intercepts
    roles = Roles.of(syntax)
    defaults = _defaults(roles, syntax.terms, orthogonal, fixed_x, means, std_lv)
    written = [list(_modified(term, n_groups)) for term in syntax.terms]
    markers = set() if std_lv else _markers(syntax.terms)
    parameters = []
    for group in range(n_groups):
        for term, in_groups in zip(syntax.terms, written, strict=True):
            parameter = in_groups[group]
            marker = term in markers and parameter.fixed is None and not _freed(term, group)
            parameters.append(parameter._replace(fixed=1.0) if marker else parameter)
        parameters += [parameter._replace(group=group) for parameter in defaults]
    if equal:
        parameters = [_equal(parameter, equal, roles.latents) for parameter in parameters]
    if std_lv and "loadings" in equal:
        parameters = _one_unit(parameters, n_groups)
    return Model(
        roles.latents,
        roles.observed,
        tuple(parameters),
        n_groups,
        means,
        syntax.definitions,
        syntax.constraints,
        syntax.text,
        _pooled(syntax.terms) if n_groups > 1 else (),
    )


def _pooled(terms: Iterable[Term]) -> tuple[tuple[str, str], ...]:
    """Return labels that stand for all groups; those of ``equal()`` are meant to."""
    first: dict[str, str] = {}
    for term in terms:
        if len(term.labels) == 1 and "~" not in term.labels[0]:
            first.setdefault(term.labels[0], term.rhs or "1")
    return tuple(first.items())


def _modified(term: Term, n_groups: int) -> Iterator[Parameter]:
    """Yield the parameter of a term in every group."""

    def of_groups(values: tuple[Any, ...], what: str) -> tuple[Any, ...]:
        if len(values) in (0, 1):
            return (values or (None,)) * n_groups
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
    residual = p.lhs == p.rhs and p.lhs not in latents
    if EQUAL.get(p.op) not in equal or (p.op == "~~" and not residual):
        return p
    if p.fixed is not None or p.label or p.exogenous:
        return p
    return p._replace(label=f"{p.lhs} {p.op} {p.rhs}".strip())


def _one_unit(parameters: list[Parameter], n_groups: int) -> list[Parameter]:
    """Return parameters with latent variances free where loadings carry the first group's unit.

    A loading does that if it is the same in the first group and in this one, and not zero.
    """
    size = len(parameters) // n_groups
    carried = {
        (p.lhs, p.group)
        for p, first in zip(parameters, parameters[:size] * n_groups, strict=True)
        if p.op == "=~"
        and (p.label == first.label if p.label else p.fixed and p.fixed == first.fixed)
    }
    return [
        p._replace(fixed=None)
        if p.group
        and p.lhs == p.rhs
        and not p.written
        and p.op == "~~"
        and (p.lhs, p.group) in carried
        else p
        for p in parameters
    ]


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


def _defaults(
    roles: Roles,
    terms: Sequence[Term],
    orthogonal: bool,
    fixed_x: bool,
    means: bool,
    std_lv: bool,
) -> list[Parameter]:
    """Return the parameters that nobody wrote.

    The table has an operator, the variables or pairs of them that get a parameter, and the values
    of those that are fixed.
    """
    variables = (*roles.observed, *roles.latents)
    table: list[tuple[str, Iterable[tuple[str, str]], dict[str, float]]] = [
        ("~~", _doubled(roles.observed), dict.fromkeys(roles.single_items, 0.0)),
        ("~~", _doubled(roles.latents), dict.fromkeys(roles.latents, 1.0) if std_lv else {}),
        (
            "~~",
            combinations(roles.exogenous_latents, 2),
            dict.fromkeys(roles.exogenous_latents, 0.0) if orthogonal else {},
        ),
        ("~~", combinations(roles.outcomes, 2), {}),
        ("~~", combinations(roles.predictors, 2), {}),
        ("~1", [(name, "") for name in variables if means], dict.fromkeys(roles.latents, 0.0)),
    ]
    written = {(t.lhs, t.op, t.rhs) for t in terms}
    written |= {(t.rhs, t.op, t.lhs) for t in terms if t.op == "~~"}
    exogenous = {"", *roles.predictors} if fixed_x else set()
    return [
        Parameter(
            lhs, op, rhs, fixed=fixed.get(lhs), written=False, exogenous={lhs, rhs} <= exogenous
        )
        for op, pairs, fixed in table
        for lhs, rhs in pairs
        if (lhs, op, rhs) not in written
    ]


def _doubled(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]

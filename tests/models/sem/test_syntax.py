import math
import operator
import pickle
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxstats.core.errors import CxError, ModelSyntaxError
from cxstats.models.sem.expressions import FUNCTIONS, parse_expression
from cxstats.models.sem.syntax import MOST, parse

# Two evaluations of one expression in double precision; a few dozen operations each.
EXACT = 1e-9
# Central differences with a step of 1e-6 lose about ten digits of sixteen, relative to the size.
DIFFERENCE = 1e-6
MEGABYTE = 1_000_000


def terms(text):
    """Everything of each term but its place."""
    return [(t.lhs, t.op, t.rhs, t.fixed, t.start, t.labels) for t in parse(text).terms]


def term(lhs, op, rhs, fixed=(), start=(), labels=()):
    return (lhs, op, rhs, fixed, start, labels)


READ = {
    # operators
    "f =~ x1 + x2": [term("f", "=~", "x1"), term("f", "=~", "x2")],
    "f <~ x1 + a*x2": [term("f", "<~", "x1"), term("f", "<~", "x2", labels=("a",))],
    "y ~ x": [term("y", "~", "x")],
    "x ~~ y": [term("x", "~~", "y")],
    "x ~~ x": [term("x", "~~", "x")],
    "y ~ 1": [term("y", "~1", "")],
    "y~1": [term("y", "~1", "")],
    "y ~ 1 + x": [term("y", "~1", ""), term("y", "~", "x")],
    "a + b ~ x + z": [
        term("a", "~", "x"),
        term("a", "~", "z"),
        term("b", "~", "x"),
        term("b", "~", "z"),
    ],
    "f+g=~x": [term("f", "=~", "x"), term("g", "=~", "x")],
    "a + b ~ l*1": [term("a", "~1", "", labels=("l",)), term("b", "~1", "", labels=("l",))],
    "a + b ~~ a + b": [term("a", "~~", "a"), term("a", "~~", "b"), term("b", "~~", "b")],
    "f =~ x ; f =~ z": [term("f", "=~", "x"), term("f", "=~", "z")],
    # modifiers
    "f =~ 1*x": [term("f", "=~", "x", (1.0,))],
    "f=~-1.5e-2*x": [term("f", "=~", "x", (-0.015,))],
    "y~-1*x": [term("y", "~", "x", (-1.0,))],
    "y ~ +.5*x": [term("y", "~", "x", (0.5,))],
    "f =~ NA*x": [term("f", "=~", "x", (None,))],
    "f =~ a*x": [term("f", "=~", "x", labels=("a",))],
    "f =~ a*start(0.5)*x": [term("f", "=~", "x", (), (0.5,), ("a",))],
    "f =~ start(-.8)*x": [term("f", "=~", "x", start=(-0.8,))],
    "f =~ start(c(.1,.2))*x": [term("f", "=~", "x", start=(0.1, 0.2))],
    'f =~ label("a")*x': [term("f", "=~", "x", labels=("a",))],
    "f =~ label(c('a', 'b'))*x": [term("f", "=~", "x", labels=("a", "b"))],
    "f =~ c(a, b)*x": [term("f", "=~", "x", labels=("a", "b"))],
    "f =~ c(1, NA)*x": [term("f", "=~", "x", (1.0, None))],
    'f =~ c("a","a")*x': [term("f", "=~", "x", labels=("a", "a"))],
    'f =~ c("","a")*x': [term("f", "=~", "x", labels=("", "a"))],
    "f =~ c(1, NA, a)*x": [term("f", "=~", "x", (1.0, None, None), (), ("", "", "a"))],
    "f =~ c(a, -2)*x": [term("f", "=~", "x", (None, -2.0), (), ("a", ""))],
    "f =~ c(1, NA)*c(a, b)*x": [term("f", "=~", "x", (1.0, None), (), ("a", "b"))],
    "y ~ 0*1": [term("y", "~1", "", (0.0,))],
    "y ~ 1*1": [term("y", "~1", "", (1.0,))],
    "y ~ 1*x": [term("y", "~", "x", (1.0,))],
    "y ~ a*1*x": [term("y", "~", "x", (1.0,), (), ("a",))],
    "y ~ c*x + start*z": [
        term("y", "~", "x", labels=("c",)),
        term("y", "~", "z", labels=("start",)),
    ],
    # named again
    "f =~ a*x + z + start(.7)*x": [
        term("f", "=~", "x", (), (0.7,), ("a",)),
        term("f", "=~", "z"),
    ],
    "f =~ x + NA*x": [term("f", "=~", "x", (None,))],
    "f =~ 2*x + 2.0*x": [term("f", "=~", "x", (2.0,))],
    # equal
    'f =~ x1 + equal("f=~x1")*x2': [
        term("f", "=~", "x1", labels=("f=~x1",)),
        term("f", "=~", "x2", labels=("f=~x1",)),
    ],
    'f =~ a*x1 + equal("f =~ x1")*x2': [
        term("f", "=~", "x1", labels=("a",)),
        term("f", "=~", "x2", labels=("a",)),
    ],
    'f =~ equal("f=~x2")*x1 + equal("f=~x3")*x2 + x3': [
        term("f", "=~", f"x{i}", labels=("f=~x3",)) for i in (1, 2, 3)
    ],
    'x ~~ y\nz ~~ equal("y~~x")*w': [
        term("x", "~~", "y", labels=("x~~y",)),
        term("z", "~~", "w", labels=("x~~y",)),
    ],
    'x ~ 1\nz ~ equal("x~1")*1': [
        term("x", "~1", "", labels=("x~1",)),
        term("z", "~1", "", labels=("x~1",)),
    ],
    # lines and comments
    "f =~ x +\n z": [term("f", "=~", "x"), term("f", "=~", "z")],
    "f =~ x\n + z": [term("f", "=~", "x"), term("f", "=~", "z")],
    "f =~ x # first\n\n ! second\n + z": [term("f", "=~", "x"), term("f", "=~", "z")],
    "f\n=~\nx": [term("f", "=~", "x")],
    "f =~ a\n*x": [term("f", "=~", "x", labels=("a",))],
    "f =~ c(a\n\n b)*x".replace("\n\n", ",\n\n"): [term("f", "=~", "x", labels=("a", "b"))],
    "f =~ c(a\n,b\n)*x": [term("f", "=~", "x", labels=("a", "b"))],
    "\ufeff\n;;y ~ x;;\r\nz ~ x\rw ~ x # end": [
        term("y", "~", "x"),
        term("z", "~", "x"),
        term("w", "~", "x"),
    ],
    "y ~ x\n~~ z".replace("\n~~", "\nx ~~"): [term("y", "~", "x"), term("x", "~~", "z")],
    "f =~ label('a')*x # it's": [term("f", "=~", "x", labels=("a",))],
    # names
    "服务质量 =~ 题1 + 题_2": [term("服务质量", "=~", "题1"), term("服务质量", "=~", "题_2")],
    "été.1 ~ .x + _y": [term("été.1", "~", ".x"), term("été.1", "~", "_y")],
    "exp ~ log": [term("exp", "~", "log")],
}


@pytest.mark.parametrize("text", READ)
def test_terms(text):
    assert terms(text) == READ[text]


def test_places_count_lines_and_characters():
    model = parse("f =~ x1 +\r\n\t题2\ry ~ a*f + start(1)*f\nd := 2*a; a > 0")
    places = [(t.rhs, t.line, t.column) for t in model.terms]
    assert places == [("x1", 1, 6), ("题2", 2, 2), ("f", 3, 7)]
    assert [(d.name, d.line, d.column) for d in model.definitions] == [("d", 4, 1)]
    assert [(c.op, c.line, c.column) for c in model.constraints] == [(">", 4, 11)]


def test_a_whole_model():
    text = """
        # measurement
        Image =~ i1 + a*i2 ; Loyalty =~ l1 + a*l2
        Loyalty ~ b*Image
        ab := a *
              b   # indirect
        twice := 2*ab
        a == b^2 + (1 -
          b)
        twice < 3
        0 > -b
    """
    model = parse(text)
    assert model.text == text
    assert model.latents == ("Image", "Loyalty")
    assert model.labels == {"a", "b"}
    assert [(d.name, d.expression.text) for d in model.definitions] == [
        ("ab", "a * b"),
        ("twice", "2*ab"),
    ]
    written = [(c.left.text, c.op, c.right.text) for c in model.constraints]
    assert written == [("a", "==", "b^2 + (1 - b)"), ("twice", "<", "3"), ("0", ">", "-b")]
    assert model.constraints[0].right.names == ("b",)
    assert hash(model) == hash(parse(text))


# text: line, column, what the message says
REFUSED = {
    "": (1, 1, "empty model"),
    " \n # nothing": (1, 1, "empty model"),
    "d := 1": (1, 1, "empty model"),
    # operators
    "f =- x": (1, 3, "unknown operator '=-'.*'=~'"),
    "f ~= x": (1, 3, "unknown operator '~='.*'=~'"),
    "y ~ x\nf = x": (2, 3, "unknown operator '='.*'==' .*'=~'"),
    "f <~ f": (1, 6, "'f' forms itself"),
    "f <~": (1, 3, "nothing stands after '<~': an indicator is missing"),
    "f <~ x1 + 1": (1, 12, r"'\*' is missing before the end"),
    "f ~~~ x": (1, 3, "unknown operator '~~~'.*'~~'"),
    "y ~ a*x; a >= 0": (1, 12, "unknown operator '>='.*'>'"),
    "y -> x": (1, 3, "unknown operator '->'.*regression"),
    "y <~> x": (1, 3, "unknown operator '<~>'; allowed: =~ <~ ~ ~~ := == < >"),
    "y ~*~ x": (1, 3, "unknown operator"),
    "y ~ x1 x2": (1, 8, r"'\+' is missing before 'x2'"),
    "y ~ x1 - x2": (1, 8, r"'\+' is missing before '-'"),
    "y ~ -x": (1, 5, "a sign takes a number"),
    "x1 + x2": (1, 1, "without operator"),
    "f =~ x1 g =~ x2": (1, 11, "a second operator, '=~'"),
    "f =~\ng =~ x": (1, 3, "nothing stands after '=~' on this line"),
    "f =~ x1 +\ng =~ x": (1, 9, r"nothing stands after '\+' on this line"),
    "f =~": (1, 3, "nothing stands after '=~': an indicator is missing"),
    "f =~ # x": (1, 3, "an indicator is missing"),
    "=~ x": (1, 1, "nothing stands before '=~'"),
    "y ~": (1, 3, "a predictor or 1 is missing"),
    "y ~ x +": (1, 7, r"nothing stands after '\+'"),
    "y ~ x + 2*": (1, 10, r"nothing stands after '\*'"),
    "y ~ x +; z ~ y": (1, 7, r"nothing stands after '\+'"),
    "a + ~ x": (1, 3, "a name is missing"),
    "a b ~ x": (1, 3, "missing before 'b'"),
    "2*a ~ x": (1, 1, "'2' before '~'; allowed: names"),
    "a + a ~ x": (1, 5, "'a' is named twice"),
    "NA ~ x": (1, 1, "'NA' before '~'"),
    # brackets, quotes, characters
    "f =~ c(1, 2*x": (1, 7, r"'\(' is never closed"),
    "f =~ c(1, 2*x\ng =~ z": (1, 7, r"'\(' is not closed before '=~'"),
    "f =~ c(1; 2)*x": (1, 7, r"'\(' is not closed before ';'"),
    "f =~ x)": (1, 7, r"'\)' without '\('"),
    'f =~ equal("f=~x)*x': (1, 12, "quote that is not closed"),
    'f =~ "a"*x': (1, 6, "quoted text; allowed inside"),
    "f =~ x @ z": (1, 8, r"unknown character '@' \(U\+0040\)"),
    "f =~ x ＋ z": (1, 8, r"unknown character '＋' \(U\+FF0B\); did you mean '\+'"),
    "y ~ x\x00": (1, 6, r"U\+0000"),
    "y ~ \ud800": (1, 5, r"U\+D800"),
    "y ~ `x`": (1, 5, "without quotes"),
    "y | t1": (1, 3, "thresholds"),
    "y ~ a:b": (1, 6, "interaction, 'a:b'.*not supported"),
    "group: 1": (1, 6, "blocks.*not supported"),
    # numbers
    "y ~ 1e999*x": (1, 5, "too large"),
    "y ~ 1x": (1, 5, "'1x' is not a number, and a name cannot begin with a digit"),
    "y ~ 1_0*x": (1, 5, "'1_0' is not a number"),
    "y ~ 1.2.3*x": (1, 5, "is not a number"),
    "y ~ Inf*x": (1, 5, "'Inf' as a modifier"),
    "y ~ start(NaN)*x": (1, 11, "'NaN' as a modifier"),
    "y ~ 2": (1, 6, r"'\*' is missing before the end"),
    "f =~ 1": (1, 7, r"'\*' is missing"),
    "y ~ 0 + x": (1, 7, r"'\*' is missing before '\+'"),
    "y ~ NA": (1, 5, "write NA"),
    # modifiers
    "y ~ lower(1)*x": (1, 5, r"unknown modifier 'lower\(\)'; allowed: c\(\), start"),
    "y ~ start(a)*x": (1, 5, r"start\(\) takes numbers"),
    "y ~ start(1, 2)*x": (1, 5, "one per group"),
    "y ~ start()*x": (1, 11, r"'\)' as a modifier"),
    "y ~ c(1,)*x": (1, 9, r"'\)' as a modifier"),
    "y ~ c(c(1))*x": (1, 8, r"'\)' is missing before '\('"),
    "y ~ label('a b')*x": (1, 11, "a b.* as a modifier"),
    "y ~ label('NA')*x": (1, 11, "as a modifier"),
    "y ~ c(1,2)*start(c(1,2,3))*x": (1, 28, "for 2 and for 3 groups"),
    "y ~ 1*2*x": (1, 7, "contradict.* line 1 says 1, line 1 says 2"),
    "y ~ a*x +\n b*x": (2, 2, "contradict.* line 1 says 'a', line 2 says 'b'"),
    "y ~ NA*x +\r 1*x": (2, 2, "line 1 says NA, line 2 says 1"),
    "y ~ c(1,NA)*x + c(2,a)*x": (1, 17, r"says c\(1, NA\), line 1 says c\(2, NA\)"),
    "y ~ x + x": (1, 9, "'x' is named twice in one formula"),
    "y ~ x\n\ny ~ z + 1*x": (3, 11, "'y~x' is declared twice, in line 1 and in line 3"),
    "a ~~ b\nb ~~ a": (2, 6, "'b~~a' is declared twice, in line 1 and in line 2"),
    "a ~ 1\na ~ 1": (2, 5, "'a~1' is declared twice"),
    "f =~ f": (1, 6, "'f' measures itself"),
    "a + x ~ x": (1, 9, "'x' predicts itself"),
    'f =~ x + equal("f=~xx")*z': (1, 16, "names no parameter: 'f=~xx'; did you mean 'f=~x'"),
    'f =~ x + equal("x")*z': (1, 16, "allowed: a parameter such as"),
    "f =~ x + equal(a)*z": (1, 16, "quoted text is missing before 'a'"),
    'f =~ x + equal("f=~z")*z': (1, 16, "equal to itself"),
    'f =~ a*x + equal("f=~x")*b*z': (1, 26, "equal.. ties labels 'a' and 'b'"),
    # definitions and constraints
    "y ~ a*x; d :=": (1, 12, "an expression is missing"),
    "y ~ a*x; := a": (1, 10, "nothing stands before ':='"),
    "y ~ a*x; d + e := a": (1, 10, "one name has to stand before ':='"),
    "y ~ a*x; NA := a": (1, 10, "one name"),
    "y ~ a*x\nd := a\nd := 2": (3, 1, "'d' is defined twice"),
    "y ~ a*x\na := 2": (2, 1, "'a' is a label and a definition"),
    "y ~ alpha*x\nd := alpa + 1": (2, 6, "no label or definition 'alpa'; did you mean 'alpha'"),
    "y ~ a*x\nd := exp(1) + exp": (2, 15, "no label or definition 'exp'; there are: a"),
    "y ~ x\nd := zeta": (2, 6, "'zeta'; there are none"),
    "y ~ a*x\nd := e\ne := a": (2, 6, "'e' is defined only in line 3"),
    "y ~ a*x\nd := d": (2, 6, "'d' is defined only in line 2"),
    "y ~ a*x\na == b": (2, 6, "no label or definition 'b'"),
    "y ~ a*x\n1 == 2": (2, 1, "binds no parameter"),
    "y ~ a*x\na < 1 < 2": (2, 7, "a second operator"),
    "y ~ a*x\na ==": (2, 3, "an expression is missing"),
    "y ~ a*x\nd := a +": (2, 9, r"missing after '\+'"),
    "y ~ a*x\nd := a * / 2": (2, 10, "missing before '/'"),
    "y ~ a*x\nd := a 2": (2, 8, "an operator .* missing before '2'"),
    "y ~ a*x\nd := (a + 1": (2, 6, "never closed"),
    "y ~ a*x\nd := ()": (2, 7, r"missing before '\)'"),
    "y ~ a*x\nd := exp(a, 2)": (2, 11, "one argument"),
    "y ~ a*x\nd := expp(a)": (2, 6, "unknown function 'expp'; allowed: exp, log"),
    "y ~ a*x\nd := 'a'": (2, 6, "missing before \"'a'\""),
    "y ~ a*x\nd := 1e400": (2, 6, "too large"),
    "__import__('os').system('x')": (1, 1, "without operator"),
    "y ~ a*x\nd := __import__('os')": (2, 6, "unknown function '__import__'"),
    "y ~ a*x\nd := lambda: 0": (2, 12, "interaction"),
    "y ~ a*x\nd := `ls`": (2, 6, "unknown character '`'"),
    "y ~ a*x\nd := a.__class__": (2, 6, "no label or definition"),
    "y ~ a*x\nd := a[0]": (2, 7, r"unknown character '\['"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text):
    line, column, reason = REFUSED[text]
    with pytest.raises(ModelSyntaxError, match=reason) as caught:
        parse(text)
    error = caught.value
    assert (error.line, error.column) == (line, column), str(error)
    assert str(error).startswith(f"line {line}, column {column}: {error.reason}\n")
    assert "\n" not in error.reason


@pytest.mark.parametrize("text", [None, 3, b"y ~ x", ["y ~ x"]])
def test_only_text_is_read(text):
    with pytest.raises(CxError, match=f"of type {type(text).__name__}; allowed: str"):
        parse(text)
    with pytest.raises(CxError, match=f"of type {type(text).__name__}; allowed: str"):
        parse_expression(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("y ~ x +", ""),
        ("\t满意度 ~\t题一 + ", " + z"),
        ("质量 =~ " + "很长的名字 + " * 40, " + z"),
        ("y ~ " + "x + " * 10, " + z" * 500),
        ("y ~ " + "\tx" * 10, ""),
    ],
)
@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r"])
def test_the_caret_is_under_the_column(before, after, break_):
    text = f"a ~ b{break_}{before}@{after}{break_}c ~ d"
    with pytest.raises(ModelSyntaxError, match="'@'") as caught:
        parse(text)
    _, source, caret = str(caught.value).split("\n")
    assert caught.value.column == len(before) + 1
    assert source[caret.index("^")] == "@"
    assert len(source) <= 84
    shown = before[-20:]
    assert shown in source
    assert [char == "\t" for char in caret[:-1]] == [
        char == "\t" for char in source[: len(caret) - 1]
    ]
    assert caret.strip(" \t\u3000") == "^"


def test_an_error_survives_a_trip_to_another_process():
    with pytest.raises(ModelSyntaxError) as caught:
        parse("y = x")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.column) == (str(caught.value), 3)


# Beginning, what is repeated up to a megabyte, end; and the error, or None.
HUGE = {
    "many formulas": ("", None, "", None),
    "brackets": ("y ~ x; d := ", "(  ", "", "never closed"),
    "closed brackets": ("y ~ x; d := ", "((( 1.25 ))) + ", "1", None),
    "signs": ("y ~ x; d := ", "-  ", "1", None),
    "powers": ("y ~ x; d := ", "9.5 ^ ", "9", None),
    "functions": ("y ~ x; d := ", "exp(", "", "missing after|never closed"),
    "sums": ("y ~ a*x; d := ", "a   +   ", "a", None),
    "modifiers": ("y ~ ", "label*", "x", None),
    "groups": ("y ~ c(", "-0.250, ", "1)*x", None),
    "plus": ("y ~ x", " + ", "", "'\\+'"),
    "digits": ("y ~ ", "9", "x", "not a number"),
    "long number": ("y ~ ", "9", "*x", "too large"),
    "quotes": ("y ~ ", "'", "", "quote"),
    "blanks": ("y ~ x", " ", "@", "unknown character"),
    "comments": ("y ~ x", "#\n", "", None),
    "dots": ("y ~ x", ".", "@", "unknown character"),
    "code": ("", "__import__('os').system('x')", "", "without operator"),
    "lambdas": ("", "lambda ", "", "without operator"),
    "backticks": ("", "`", "", "unknown character"),
    "operators": ("y ", "=~", " x", "unknown operator"),
}


@pytest.mark.parametrize("case", HUGE)
def test_a_megabyte_is_read_or_refused(case):
    before, repeated, after, reason = HUGE[case]
    if repeated is None:
        lines = (f"f{i} =~ " + " + ".join(f"item{i}_{j}" for j in range(8)) for i in range(9_500))
        text = "\n".join(lines)
    else:
        text = before + repeated * (MEGABYTE // len(repeated)) + after
    assert len(text) > 0.9 * MEGABYTE
    if reason is None:
        assert parse(text).terms
        return
    with pytest.raises(ModelSyntaxError, match=reason) as caught:
        parse(text)
    assert len(str(caught.value)) < 500


def test_depth_does_not_matter_for_values_either():
    depth = 20_000
    deep = parse_expression("-(" * depth + "a" + ")" * depth)
    assert deep({"a": 3.0}) == 3.0
    assert parse_expression("9^" * 10 + "9")({}) == np.inf


def test_a_short_text_cannot_ask_for_more_terms_than_memory_holds():
    many = [" + ".join(f"{name}{i}" for i in range(501)) for name in "ab"]
    with pytest.raises(ModelSyntaxError, match=f"more than {MOST} parameters"):
        parse(" ~ ".join(many))


# Expressions ------------------------------------------------------------------------------------

VALUES = [
    ("-2^2", -4),
    ("2^3^2", 512),
    ("2**3**2", 512),
    ("2^-1", 0.5),
    ("2^-1*4", 2),
    ("-2*-3", 6),
    ("--2", 2),
    ("+2 - +3", -1),
    ("7 - 2 - 1", 4),
    ("8/4/2", 1),
    ("2 + 3*4", 14),
    ("(2 + 3)*4", 20),
    ("(-2)^3", -8),
    ("(-2)^-3", -0.125),
    ("0^0", 1),
    ("exp(0) + log(1) + sqrt(4) + abs(-3) + sin(0) + cos(0) + tan(0)", 7),
    ("exp (log(5))", 5),
    (".5 + 1.e1 + 2E-1", 10.7),
    ("exp(1000)", math.inf),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text, value):
    np.testing.assert_allclose(parse_expression(text)({}), value, rtol=EXACT)


NOT_THERE = [
    ("log(x)", 0.0),
    ("log(x)", -1.0),
    ("sqrt(x)", -1.0),
    ("1/x", 0.0),
    ("x/x", 0.0),
    ("x^-1", 0.0),
    ("x^0.5", -2.0),
    ("x^(1/3)", -8.0),
    ("2*log(x) + 1", -1.0),
    ("(1/x)^0", 0.0),
]


@pytest.mark.parametrize(("text", "x"), NOT_THERE)
def test_what_does_not_exist_is_nan(text, x):
    found = parse_expression(text)
    assert np.isnan(found({"x": x}))
    carried = found({"x": np.array([x + 1e-20j, 1.0])})
    assert np.isnan(carried[0].real)
    assert np.isnan(carried[0].imag)
    assert np.isfinite(carried[1])


@pytest.mark.parametrize("text", ["sqrt(x)", "x^0.5", "x^0.2"])
def test_no_slope_where_a_root_is_vertical(text):
    assert parse_expression(text)({"x": 0.0}) == 0
    assert np.isnan(parse_expression(text)({"x": 1e-20j}).imag)


SLOPES = [
    "a",
    "-a^2",
    "a^3 - 2*a*b",
    "a^-3",
    "a^0",
    "a^1",
    "a^31/1e9",
    "(a*b)^2",
    "abs(a)",
    "abs(a*b)^1.5",
    "a^2^b",
    "exp(a)*log(abs(b))",
    "sqrt(a^2 + b^2)",
    "sin(a)*cos(b) + tan(a/4)",
    "2^a + 2^-b",
    "abs(a)^b",
    "a/b + b/a",
    "1/(1 + exp(-a))",
    "(a - b)/(a^2 + 1)**2",
    "log(1 + a^2)^2",
]
POINTS = np.array([[-2.0, 0.7], [1.3, -0.4], [0.6, 2.5], [-1.1, -3.2], [2.0, 3.0], [-2.5, 1.0]])


@pytest.mark.parametrize("text", SLOPES)
@pytest.mark.parametrize("name", ["a", "b"])
def test_complex_steps_give_the_slope(text, name):
    expression = parse_expression(text)
    point = dict(zip("ab", POINTS.T, strict=True))

    def at(step):
        return expression(point | {name: point[name] + step})

    wide = np.finfo(float).eps ** (1 / 3)
    slope = np.broadcast_to(at(1e-20j), len(POINTS)).imag / 1e-20
    with np.errstate(invalid="ignore"):
        differences = np.broadcast_to((at(wide) - at(-wide)) / (2 * wide), len(POINTS))
    known = np.isfinite(differences) & np.isfinite(slope)
    # Only a power of a negative number with an exponent in motion has no slope.
    assert known.all() or "^b" in text
    assert known.sum() >= 3
    np.testing.assert_allclose(slope[known], differences[known], rtol=DIFFERENCE, atol=DIFFERENCE)
    np.testing.assert_allclose(
        np.real(at(1e-20j))[known],
        np.broadcast_to(at(0.0), len(POINTS))[known],
        rtol=EXACT,
        atol=EXACT,
    )


def test_a_square_of_a_negative_number_keeps_its_slope():
    found = parse_expression("x^2")({"x": -2 + 1e-20j})
    assert found.real == 4
    np.testing.assert_allclose(found.imag, -4e-20, rtol=1e-15)


def test_values_broadcast_and_are_not_aliased():
    a, b = np.arange(3.0)[:, None], np.arange(4)
    assert parse_expression("a*b - 1")({"a": a, "b": b}).tolist() == (a * b - 1).tolist()
    assert parse_expression("a - b")({"a": 1, "b": 2}).shape == ()
    same = parse_expression("a")({"a": a})
    same[0] = 9
    assert a[0] == 0


def test_values_that_are_missing_or_no_numbers():
    with pytest.raises(CxError, match="no value for 'b'; there are: a"):
        parse_expression("a + b")({"a": 1})
    with pytest.raises(CxError, match="value of 'a' is of type <U1"):
        parse_expression("a")({"a": "1"})


def test_text_and_names():
    found = parse_expression("b  *\n( a+ # why\n\t b )")
    assert (found.text, found.names) == ("b * ( a+ b )", ("b", "a"))
    assert parse_expression("exp(log) + log(exp)").names == ("log", "exp")


BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "0-": 3, "^": 4}
leaves = st.one_of(
    st.sampled_from([0.0, 1.0, 2.0, 3.0, 0.5, 12.25, 1e-3]), st.sampled_from(["a", "b", "log"])
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/^"), inner, inner),
        st.tuples(st.just("0-"), inner),
        st.tuples(st.sampled_from([name + "(" for name in FUNCTIONS]), inner),
    ),
    max_leaves=25,
)


def written(tree, least, more):
    """A tree as text; brackets where they are needed, and some where they are not."""
    if not isinstance(tree, tuple):
        text, binding = (str(tree), 9)
    elif tree[0] == "0-":
        text, binding = "-" + written(tree[1], 3, more), 3
    elif len(tree) == 2:
        text, binding = tree[0] + written(tree[1], 0, more) + ")", 9
    else:
        binding = BINDING[tree[0]]
        left, right = (5, 3) if tree[0] == "^" else (binding, binding + 1)
        sign = more.choice([tree[0], f" {tree[0]} ", f"{tree[0]}\t"])
        text = written(tree[1], left, more) + sign + written(tree[2], right, more)
    return f"({text})" if binding < least or more.random() < 0.1 else text


def postfix(tree):
    if not isinstance(tree, tuple):
        return [tree]
    return [step for part in tree[1:] for step in postfix(part)] + [tree[0]]


def power(x, y):
    if math.isnan(x) or math.isnan(y) or (x == 0 and y < 0) or (x < 0 and y != math.floor(y)):
        return math.nan
    return math.pow(x, y)


BY_HAND = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda x, y: x / y if y else math.nan,
    "^": power,
    "0-": operator.neg,
    "exp(": math.exp,
    "log(": lambda x: math.log(x) if x > 0 else math.nan,
    "sqrt(": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "abs(": abs,
    "sin(": math.sin,
    "cos(": math.cos,
    "tan(": math.tan,
}


def value(tree, names):
    if isinstance(tree, str):
        return names[tree]
    if not isinstance(tree, tuple):
        return tree
    return BY_HAND[tree[0]](*(value(part, names) for part in tree[1:]))


@settings(max_examples=200, deadline=None)
@given(trees, st.randoms(use_true_random=False))
def test_any_tree_is_read_as_it_was_written(tree, more):
    expression = parse_expression(written(tree, 0, more))
    assert list(expression.steps) == postfix(tree)
    names = {"a": -1.25, "b": 2.0, "log": 0.75}
    try:
        by_hand = value(tree, names)
    except (OverflowError, ValueError):  # Python refuses where numpy has infinity
        return
    if abs(by_hand) < 1e100:
        np.testing.assert_allclose(expression(names), by_hand, rtol=EXACT, atol=EXACT)
        carried = expression({name: number + 0j for name, number in names.items()})
        np.testing.assert_allclose(carried.real, by_hand, rtol=EXACT, atol=EXACT)


# Round trip -------------------------------------------------------------------------------------

numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: x + 0.0)
names_ = st.sampled_from(["x1", "x.2", "_y", "满意", "f", "g", "c", "start", "été"])
labels_ = st.sampled_from(["a", "b1", "标签", "label"])


def signed(number):
    return (["-"] if number < 0 else []) + [repr(abs(number))]


def listed(parts):
    """Tokens of ``c(...)``."""
    inner = [token for part in parts for token in [",", *part]][1:]
    return ["c", "(", *inner, ")"]


@st.composite
def modifiers(draw):
    """What is fixed, started and labelled, and the modifiers as lists of tokens."""
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    entries = [st.none(), numbers, labels_][: draw(st.integers(1, 3))]
    said = draw(st.lists(st.one_of(*entries), min_size=groups, max_size=groups))
    start = draw(st.one_of(st.just([]), st.lists(numbers, min_size=groups, max_size=groups)))
    tokens = [
        ["NA"] if one is None else [one] if isinstance(one, str) else signed(one) for one in said
    ]
    written_ = [listed(tokens) if groups > 1 else tokens[0]]
    if start:
        values = [signed(one) for one in start]
        inner = listed(values) if groups > 1 else values[0]
        written_.insert(draw(st.integers(0, 1)), ["start", "(", *inner, ")"])
    named = [one if isinstance(one, str) else "" for one in said]
    fixed = [None if isinstance(one, str) else one for one in said]
    if all(isinstance(one, str) for one in said):
        fixed = []
    return tuple(fixed), tuple(start), tuple(named) if any(named) else (), written_


@st.composite
def models(draw):
    """Terms, and statements as lists of tokens."""
    expected, statements, seen = [], [], set()
    for _ in range(draw(st.integers(1, 6))):
        lhs, op = draw(names_), draw(st.sampled_from(["=~", "~", "~~"]))
        statement = []
        for rhs in draw(st.lists(st.one_of(names_, st.just("1")), max_size=4, unique=True)):
            key = (frozenset((lhs, rhs)) if op == "~~" else (lhs, rhs), op)
            if key in seen or (rhs == lhs and op != "~~") or (rhs == "1" and op != "~"):
                continue
            seen.add(key)
            fixed, start, named, words = draw(st.one_of(st.just(((), (), (), [])), modifiers()))
            intercept = rhs == "1"
            target = ("~1", "") if intercept else (op, rhs)
            expected.append((lhs, *target, fixed, start, named))
            starred = [token for word in words for token in [*word, "*"]]
            statement += ["+" if statement else op, *starred, rhs]
        if statement:
            statements.append([lhs, *statement])
    return expected, statements


BLANKS = ["", "", " ", "  ", "\t", "\u3000"]
BREAKS = ["\n", " # 注: c( + 'x\n", "\r\n\r\n", "! =~ \n\t", "\r"]
ENDS = ["\n", ";", " ;\n", "\r\n", "\n# note; y ~ x\n\n", "\n;\n"]
GOES_ON_AFTER = {"=~", "~", "~~", "+", "*", ",", "-", "("}
GOES_ON_BEFORE = {"=~", "~", "~~", "+", "*", ",", "-", ")"}


def laid_out(statement, more):
    text, depth = statement[0], 0
    for before, token in pairwise(statement):
        depth += (before == "(") - (before == ")")
        free = depth > 0 or before in GOES_ON_AFTER or token in GOES_ON_BEFORE
        blank = more.choice(BLANKS)
        if free and more.random() < 0.2:
            blank += more.choice(BREAKS)
        text += blank + token
    return text


@settings(max_examples=150, deadline=None)
@given(models(), st.randoms(use_true_random=False))
def test_round_trip(model, more):
    expected, statements = model
    text = "".join(laid_out(one, more) + more.choice(ENDS) for one in statements)
    if expected:
        assert terms(text) == expected
    else:
        with pytest.raises(ModelSyntaxError, match="empty model"):
            parse(text)


# Fuzz -------------------------------------------------------------------------------------------

FRAGMENTS = [
    *"+-*/^(),;:=~<>#!'\"\n\r\t 1.@`\x00质",
    *["=~", "~~", ":=", "==", "**", "~1", "NA", "Inf", "1e999", "-1.5e-3", "x1", "f", "a", "d"],
    *['equal("f=~x1")', 'label("a")', "c(a,b)", "start(", "exp(", " f =~ x1 + x2\n", "\ny ~ a*x\n"],
    *["f:x", "d := a\n", "\ud800", "\u2028", "\ufeff", "c(1,NA)*", "group: 1"],
]


def refusal(text):
    try:
        return None if parse(text).terms else "nothing"
    except ModelSyntaxError as error:
        return error


def read_or_refused(text):
    error = refusal(text)
    if error is not None:
        lines = re.split(r"\r\n|\r|\n", text)
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert len(str(error).splitlines()) == 3


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_is_read_or_refused(text):
    read_or_refused(text)
    read_or_refused("f =~ x1 + a*x2\nd := a " + text)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join), st.booleans())
def test_any_fragments_are_read_or_refused(text, headed):
    read_or_refused("f =~ x1 + a*x2\n" * headed + text)


def test_an_unknown_name_before_a_bracket_is_named():
    with pytest.raises(ModelSyntaxError, match=r"line 2, column 1.*'q'"):
        parse("y ~ b*x\nq == (b)")

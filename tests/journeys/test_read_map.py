"""Journey maps: what is read, and that every problem of a file is named at once."""

import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.language import Text
from cxstats.core.paths import data_folder
from cxstats.journeys.journey_map import JourneyMap
from cxstats.journeys.read_map import read_map

TABLES = data_folder() / "cases" / "tables"
YAML = """
title: {en: Loan, zh: 贷款}
scale: [1, 7]
stages:
  - name: {en: Apply, zh: 申请}
    action: {en: [Fills in the form, Sends it], zh: [填写表格, 提交]}
    touchpoints:
      - {id: web, name: {en: Website, zh: 网站}, channel: [web], score: 5.5, sd: 1.2, n: 40}
      - {name: Form, pain: too long, events: [submit, resubmit]}
  - name: Decide
    touchpoints: [Letter]
"""


def stage(name="A", *touchpoints, **more):
    return {"name": name, "touchpoints": list(touchpoints), **more}


def problems(source):
    with pytest.raises(cx.DataError) as caught:
        read_map(source)
    return caught.value.problems


def test_reads_yaml(tmp_path):
    file = tmp_path / "map.yml"
    file.write_text(YAML, encoding="utf-8")
    journey = read_map(file)
    assert journey.name == Text("Loan", "贷款")
    assert journey.scale == (1, 7)
    assert [s.name for s in journey.stages] == [Text("Apply", "申请"), Text("Decide", "Decide")]
    assert journey.stages[0].action == (
        Text("Fills in the form", "填写表格"), Text("Sends it", "提交"),
    )  # fmt: skip
    assert journey.ids == ("web", "Form", "Letter")
    web, form, letter = journey.touchpoints
    assert (web.score, web.sd, web.n, web.stage) == (5.5, 1.2, 40, 0)
    assert form.events == ("submit", "resubmit")
    assert letter.stage == 1
    assert read_map(journey) is journey


def test_reads_the_case_study_s_stages():
    journey = read_map(TABLES / "journey.csv")
    assert [len(journey.of_stage(i)) for i in range(5)] == [3] * 5
    assert journey.stages[2].name == Text("purchase", "购买阶段")
    assert journey.stages[2].pain == (
        Text("payment safety", "支付安全"), Text("complex process", "流程复杂"),
    )  # fmt: skip
    assert journey.touchpoints[7].name == Text("payment", "支付流程")


def test_reads_a_chain_of_contact_points():
    journey = read_map(TABLES / "touchpoints.csv")
    assert len(journey.stages) == len(journey.touchpoints) == 6
    assert journey.touchpoints[1].channel == (
        Text("questionnaire", "调查问卷"), Text("personal interview", "面对面访谈"),
    )  # fmt: skip


def test_reads_a_table_of_touchpoints_with_chinese_heads():
    frame = pd.DataFrame(
        {
            "阶段": ["购买", "购买", "使用"],
            "触点": ["网店", "支付", "客服"],
            "渠道": ["网站、应用", "网站", "电话，网点"],
            "痛点": ["慢", None, "等待"],
            "得分": [5, 3.5, None],
        }
    )
    journey = read_map(frame)
    assert [t.stage for t in journey.touchpoints] == [0, 0, 1]
    assert [c.zh for c in journey.touchpoints[2].channel] == ["电话", "网点"]
    assert journey.touchpoints[1].pain == ()
    assert journey.touchpoints[1].score == 3.5


def test_rows_of_a_stage_need_not_stand_together():
    frame = pd.DataFrame({"stage": ["A", "B", "A"], "touchpoint": ["x", "y", "z"]})
    assert read_map(frame).ids == ("x", "z", "y")


def test_order_is_that_of_no():
    frame = pd.DataFrame({"no": [2, 1], "stage": ["A", "B"], "touchpoint": ["x", "y"]})
    assert [s.name.en for s in read_map(frame).stages] == ["B", "A"]


def test_one_name_may_stand_twice_under_two_ids():
    points = [{"id": "h1", "name": "Hotline"}, {"id": "h2", "name": "Hotline"}]
    journey = read_map({"stages": [stage("A", points[0]), stage("B", points[1])]})
    assert "Hotline" not in journey.id_of
    assert journey.id_of["h2"] == "h2"


def test_every_problem_is_named_at_once():
    source = {
        "foo": 1,
        "scale": [7, 1],
        "stages": [
            stage("A", "x", {"name": "y", "importance": -1, "n": 2.5}, pian="slow"),
            stage("B", {"name": "x", "score": "high"}),
            stage("C"),
            stage("A", "z"),
            stage({"en": "D", "fr": "d"}, ["q"]),
            "E",
        ],
    }
    text = "\n".join(problems(source))
    for expected in (
        r"key 'foo' is not known; allowed: title, source, scale, stages",
        r"'scale': scale is [7, 1]; allowed: lowest and highest score",
        r"stage 1: key 'pian' is not known; did you mean 'pain'?",
        r"stage 1, touchpoint 2: importance is -1; allowed: numbers from 0",
        r"stage 1, touchpoint 2: n is 2.5; allowed: whole numbers from 0",
        r"stage 2, touchpoint 1: score is 'high'; allowed: a number",
        r"touchpoint 'x' stands in stages 'A' and 'B' (stage 1, touchpoint 1)",
        r"stage 3: stage 'C' has no touchpoint",
        r"stage 4: stage 'A' is stage 1, too",
        r"stage 5, 'name': {'en': 'D', 'fr': 'd'}; allowed: text, or texts for 'en' and 'zh'",
        r"stage 5, touchpoint 1: ['q']; allowed: a name, or a mapping of id, name",
        r"stage 6: 'E'; allowed: a mapping of name",
    ):
        assert expected in text, expected


def test_a_score_off_the_scale_is_named():
    source = {"scale": [1, 7], "stages": [stage("A", {"name": "x", "score": 9})]}
    assert problems(source) == (
        "map, stage 1, touchpoint 1: score 9 is off the scale; allowed: 1 to 7",
    )


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"stage": ["A"], "touchpoint": [None]}, "row 0: stage 'A' has no touchpoint there"),
        ({"stage": [None], "touchpoint": ["x"]}, "row 0: no stage; give every touchpoint one"),
        ({"stage": ["A"], "touchpint": ["x"]}, "column 'touchpint' is not known; nearest: 'touch"),
        ({"stage": ["A"]}, "no column 'touchpoint'"),
        ({"stage": ["A", "B"], "touchpoint": ["x", "x"]}, "'x' stands in stages 'A' and 'B'"),
        ({"stage": ["A", "A"], "touchpoint": ["x", "x"]}, "'x' stands in stage 'A' twice"),
        ({"stage": ["A"], "touchpoints": ["x; y"], "score": [3]}, "'score' needs one row a touch"),
        ({"touchpoints": ["x; y"]}, "column 'stage' is missing"),
        ({"stage": ["A"], "touchpoint": ["x"], "触点": ["y"]}, "are both the touchpoint"),
        ({"stage": ["A"], "touchpoint": ["x"], "weight": [-2]}, "row 0: weight is -2; allowed"),
        ({"stage": ["A"], "touchpoint": ["x"], "n": [True]}, "row 0: n is True; allowed: whole"),
        ({"stage": ["A"], "touchpoint": [["x", "y"]]}, "row 0: touchpoint is ['x', 'y']; allowed"),
        ({"no": [1, None], "stage": ["A", "B"], "touchpoint": ["x", "y"]}, "column 'no' has a gap"),
        (
            {"stage": ["A"], "touchpoints_en": ["x; y"], "touchpoints_zh": ["甲"]},
            "row 0: 2 touchpoints in English, 1 in Chinese; allowed: equally many",
        ),
        (
            {"stage_en": ["A", "A"], "stage_zh": ["甲", "乙"], "touchpoint": ["x", "y"]},
            "row 1: stage 'A' / '乙' is 'A' / '甲' in row 0",
        ),
    ],
)  # fmt: skip
def test_a_problem_of_a_table_names_row_and_column(frame, expected):
    assert any(expected in text for text in problems(pd.DataFrame(frame)))


def test_a_row_is_called_by_its_number_in_the_file(tmp_path):
    file = tmp_path / "map.csv"
    file.write_text("stage,touchpoint,weight\nA,x,1\nB,y,-1\n", encoding="utf-8")
    assert problems(file) == ("map.csv, row 3: weight is -1; allowed: numbers from 0",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stages: 3", "a journey map is a mapping with the key 'stages'"),
        ("[1, 2]", "a journey map is a mapping"),
        ("stages: []", "no stages; at least one is needed"),
        ("stages: [", "not YAML"),
        ("stages:\n  - {name: A, name: B}", "line 2: key 'name' stands twice"),
        ("stages: [{name: A, touchpoints: x}]", "stage 1, 'touchpoints': 'x'; allowed: a list"),
        ("stages: [{touchpoints: [x]}]", "stage 1, 'name': missing"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, expected):
    file = tmp_path / "map.yml"
    file.write_text(text, encoding="utf-8")
    found = problems(file)
    assert found[0].startswith("map.yml")
    assert any(expected in line for line in found)


def test_texts_are_lines():
    journey = read_map({"stages": [stage("A\n B", "x\x1b[2J")]})
    assert journey.stages[0].name.en == "A B"
    assert journey.touchpoints[0].name.en == "x\\x1b[2J"


def test_a_number_that_is_too_large():
    source = {"stages": [stage("A", {"name": "x", "n": 10**400})]}
    assert "n is a number of about 401 digits" in problems(source)[0]


def test_a_file_that_is_not_there():
    with pytest.raises(cx.DataError, match=r"no\.yml: cannot be read"):
        read_map("no.yml")


def test_channels_of_a_stage_are_those_of_its_touchpoints():
    source = {"stages": [stage("A", "x", {"name": "y", "channel": "web"}, channel="branch")]}
    journey = read_map(source)
    assert isinstance(journey, JourneyMap)
    channels = [[c.en for c in journey.channels_of(t)] for t in journey.touchpoints]
    assert channels == [["branch"], ["web"]]

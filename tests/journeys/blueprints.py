"""Blueprints for tests: a small one, one as large as a client's, and random ones."""

import copy

import numpy as np

from cxstats.journeys.blueprint.elements import LAYERS

SMALL = {
    "title": {"en": "Hotline", "zh": "热线"},
    "unit": "minute",
    "currency": "CNY",
    "elements": [
        {"id": "call", "layer": "customer", "name": {"en": "call", "zh": "来电"}, "time": 1},
        {"id": "answer", "layer": "frontstage", "name": {"en": "answer", "zh": "接听"},
         "wait": {"mean": 6, "sd": 3, "n": 40}, "time": {"mean": 4, "sd": 1, "n": 40},
         "failure": {"failed": 20, "n": 200, "cost": 50},
         "standard": [{"metric": "wait", "limit": 5}, {"metric": "failure_share", "limit": 0.2}]},
        {"id": "look", "layer": "backstage", "name": {"en": "look up", "zh": "查询"}, "time": 3},
        {"id": "records", "layer": "support", "name": {"en": "records", "zh": "档案"},
         "failure": {"failed": 4, "n": 200, "cost": 400}},
        {"id": "letter", "layer": "evidence", "name": {"en": "letter", "zh": "信函"}},
    ],
    "flows": [
        {"from": "call", "to": "answer"},
        {"from": "answer", "to": "look"},
        {"from": "records", "to": "look", "kind": "information"},
        {"from": "look", "to": "answer", "kind": "failure"},
        {"from": "answer", "to": "letter"},
    ],
}  # fmt: skip
WORDS = "客户在网点自助服务区通过人脸识别核验身份并补充上传收入证明材料等待后台人员复核"
LATIN = "verify the identity and collect supplementary documentation for the back office review"


def small(**changes):
    """Return the small blueprint with some elements changed, by their id."""
    content = copy.deepcopy(SMALL)
    for element in content["elements"]:
        element.update(changes.pop(element["id"], {}))
    return {**content, **changes}


def large(n=60, n_stages=12, seed=1):
    """Return n elements in stages with long names, and about 1.5 flows for each."""
    rng = np.random.default_rng(seed)
    elements = []
    for i in range(n):
        stage = i * n_stages // n
        length = int(rng.integers(4, len(WORDS)))
        elements.append({
            "id": f"e{i}",
            "layer": LAYERS[i % 5],
            "stage": f"s{stage}",
            "name": {"en": f"{i} {LATIN[: 2 * length]}", "zh": f"{i}{WORDS[:length]}"},
            **({"wait": round(float(rng.gamma(2, 400)), 1)} if i % 3 else {}),
            **({"time": round(float(rng.gamma(2, 4)), 1)} if i % 4 else {}),
            **({"failure": {"failed": 3, "n": 100, "cost": 10}} if i % 5 == 2 else {}),
        })  # fmt: skip
    pairs = {(i, i + 1) for i in range(n - 1)}
    pairs |= {(int(a), int(b)) for a, b in rng.integers(0, n, (n // 2, 2)) if a != b}
    flows = [
        {"from": f"e{a}", "to": f"e{b}", "kind": "flow" if a < b else str(rng.choice(
            ["failure", "information"]))}
        for a, b in sorted(pairs)
    ]  # fmt: skip
    stages = {f"s{i}": {"en": f"Stage {i + 1} of the long way of the customer",
                        "zh": f"第{i + 1}阶段：客户旅程中的一个较长的阶段名称"}
              for i in range(n_stages)}  # fmt: skip
    return {"unit": "minute", "stages": stages, "elements": elements, "flows": flows,
            "synthetic": True, "source": {"en": "generator", "zh": "生成"}}  # fmt: skip


def random_graph(rng):
    """Return durations and edges of a random graph without circles."""
    n = int(rng.integers(1, 40))
    names = [f"n{i}" for i in rng.permutation(n)]
    durations = {name: float(rng.choice([0, 1, 2.5, rng.gamma(2)])) for name in names}
    p = rng.uniform(0, 0.5)
    order = rng.permutation(n)
    edges = [(names[order[i]], names[order[j]])
             for i in range(n) for j in range(i + 1, n) if rng.random() < p]  # fmt: skip
    return durations, edges

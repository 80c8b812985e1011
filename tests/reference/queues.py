"""Erlang C and Erlang A by solving the balance equations, with no formula of the package.

Run: python tests/reference/queues.py > tests/reference/queues.csv

The chain is cut at a state that is never reached; its stationary distribution is the null vector of
the generator. The share answered within the target follows each call that waits behind k others
through an absorbing chain (one ahead leaves, the call hangs up) by the matrix exponential.
"""

import csv
import sys

import numpy as np
from scipy.linalg import expm

CASES = [  # rate, handling time, agents, target, patience (inf: nobody hangs up)
    (8, 1, 10, 0.1, np.inf),
    (10, 1, 14, 0.1, np.inf),
    (0.5, 3, 2, 1, np.inf),
    (8, 1, 7, 0.1, 0.5),
    (8, 1, 10, 0.2, 2),
    (20, 0.4, 6, 0.5, 0.3),
    (3, 2, 9, 0.05, 5),
    (1, 1, 1, 0.5, 1),
]


def solve(rate, handling, agents, target, patience):
    theta = 0.0 if np.isinf(patience) else 1 / patience
    size = agents + (900 if theta == 0 else 250)
    k = np.arange(size + 1)
    death = np.minimum(k, agents) / handling + np.maximum(k - agents, 0) * theta
    balance = np.zeros((size + 1, size + 1))
    for i in range(size):
        balance[i, i + 1] += rate
        balance[i + 1, i] += death[i + 1]
    balance -= np.diag(balance.sum(axis=1))
    system = np.vstack([balance.T[:-1], np.ones(size + 1)])
    p = np.linalg.solve(system, np.eye(size + 1)[-1])
    deep = min(size - agents, 120)
    # States of a call: j ahead of it (j = deep .. 0), answered, gone.
    generator = np.zeros((deep + 3, deep + 3))
    for j in range(deep + 1):
        ahead = agents / handling + j * theta
        generator[j, j - 1 if j else deep + 1] += ahead
        generator[j, deep + 2] += theta
        generator[j, j] -= ahead + theta
    answered = expm(generator * target)[: deep + 1, deep + 1]
    level = p[:agents].sum() + p[agents : agents + deep + 1] @ answered
    queue = np.maximum(k - agents, 0) @ p
    busy = np.minimum(k, agents) @ p / agents
    return p[agents:].sum(), level, queue / rate, queue * theta / rate, busy, queue


writer = csv.writer(sys.stdout, lineterminator="\n")
writer.writerow(
    [
        "rate",
        "handling_time",
        "agents",
        "target",
        "patience",
        "p_wait",
        "service_level",
        "mean_wait",
        "abandonment",
        "occupancy",
        "queue_length",
    ]
)
for case in CASES:
    writer.writerow([*case, *(f"{value:.10f}" for value in solve(*case))])

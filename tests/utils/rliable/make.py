"""What rliable itself says of some scores, for tests/utils/test_reliable.py. Not run by the tests: rliable needs an older pandas.

python -m venv /tmp/rliable && /tmp/rliable/bin/pip install rliable==1.2.0 "pandas<3"
/tmp/rliable/bin/python tests/utils/rliable/make.py > tests/utils/rliable/numbers.json
"""

from __future__ import annotations

import json

import numpy as np
from rliable import library, metrics

SCORES = {  # task by task, a run each
    "a": [[0.2, 0.5, 0.9, 1.3, 0.4], [1.0, 1.2, 0.7, 0.7, 2.5], [0.0, -0.3, 0.1, 0.6, 0.2]],
    "b": [[0.2, 0.4, 0.3, 1.1, 0.2], [1.0, 0.9, 0.4, 0.7, 1.5], [0.3, -0.1, 0.4, 0.5, 0.8]],
}
POINTS = [-0.5, 0.0, 0.2, 0.5, 1.0, 2.0, 3.0]
RESAMPLES = 4_000

matrices = {name: np.array(tasks).T for name, tasks in SCORES.items()}  # [runs, tasks]
better, better_interval = library.get_interval_estimates(
    {"p": (matrices["a"], matrices["b"])}, lambda x, y: np.array([metrics.probability_of_improvement(x, y)]), reps=RESAMPLES
)  # fmt: skip
iqm, iqm_interval = library.get_interval_estimates(
    matrices, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=RESAMPLES
)
share, share_interval = library.create_performance_profile(matrices, np.array(POINTS), reps=RESAMPLES)
found = {
    "scores": SCORES,
    "points": POINTS,
    "probability_of_improvement": {"value": float(better["p"][0]), "interval": better_interval["p"].ravel().tolist()},
    "interquartile_mean": {
        name: {"value": float(iqm[name][0]), "interval": iqm_interval[name].ravel().tolist()} for name in matrices
    },
    "performance_profile": {
        name: {"share": share[name].tolist(), "interval": share_interval[name].tolist()} for name in matrices
    },
}
print(json.dumps(found))

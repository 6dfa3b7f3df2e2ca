"""All monitors, in the order in which they are asked: what names the mistake best comes first."""

from __future__ import annotations

from triptych.checkup.audit.monitor import Audit
from triptych.checkup.monitors.base import Monitor
from triptych.checkup.monitors.before import Before
from triptych.checkup.monitors.counts import Counts
from triptych.checkup.monitors.exploration import Evaluations, Exploration
from triptych.checkup.monitors.finals import Finals
from triptych.checkup.monitors.finite import Finite
from triptych.checkup.monitors.games import Ends, Observations, Rewards
from triptych.checkup.monitors.kept import BestWeights, Resumed
from triptych.checkup.monitors.losses import Losses
from triptych.checkup.monitors.memory import Memory
from triptych.checkup.monitors.paths import Paths
from triptych.checkup.monitors.policies import Certain, Drawn
from triptych.checkup.monitors.progress import Progress
from triptych.checkup.monitors.replaying import Priorities, Repeats
from triptych.checkup.monitors.schedules import Epsilon, Rate
from triptych.checkup.monitors.seeds import Seeds
from triptych.checkup.monitors.stale import Stale
from triptych.checkup.monitors.steps import Steps
from triptych.checkup.monitors.targets import Target
from triptych.checkup.monitors.tested import InTests
from triptych.checkup.monitors.transfer import Transfer
from triptych.checkup.monitors.updates import Updates
from triptych.checkup.monitors.values import Gradients, Heads
from triptych.checkup.monitors.weights import Weights

MONITORS: tuple[type[Monitor], ...] = (
    Before, Seeds, Audit, Finite, Finals, Updates, Counts, Rate, Steps, Stale, Observations, Rewards, Ends, Weights, Target, Losses, Epsilon, Exploration, Evaluations, InTests,
    Drawn, Certain, Heads, Gradients, Memory, Priorities, Repeats, Paths, Transfer, Progress, BestWeights, Resumed,
)  # fmt: skip

"""Environments by their Gymnasium id. Several games of one kind step together, in NEXT_STEP order.

NEXT_STEP: the step that ends an episode returns its last observation; the step after it takes no
action (mask 0), gives reward 0 and returns the first observation of the next episode.

May be in here: games, how they are made, played and filmed. May not: a recipe, an algorithm, a framework.
"""

from triptych.envs.config import EnvConfig as EnvConfig
from triptych.envs.determinism import forgets as forgets
from triptych.envs.games import Games as Games
from triptych.envs.games import Step as Step
from triptych.envs.registry import find as find
from triptych.envs.registry import fixed as fixed
from triptych.envs.registry import make as make
from triptych.envs.registry import stickiness as stickiness
from triptych.envs.registry import unread as unread

"""Environments by their Gymnasium id. Several games of one kind step together, in NEXT_STEP order.

NEXT_STEP: the step that ends an episode returns its last observation; the step after it takes no
action (mask 0), gives reward 0 and returns the first observation of the next episode.

May be in here: games, how they are made, played and filmed. May not: a recipe, an algorithm, a framework.
"""

from triptych.envs.atari import PLAIN as PLAIN
from triptych.envs.config import GameConfig as GameConfig
from triptych.envs.config import Kind as Kind
from triptych.envs.config import Screen as Screen
from triptych.envs.determinism import forgets as forgets
from triptych.envs.games import Games as Games
from triptych.envs.games import Step as Step
from triptych.envs.ids import near_ids as near_ids
from triptych.envs.making import first_looks as first_looks
from triptych.envs.making import fixed as fixed
from triptych.envs.making import make as make
from triptych.envs.making import shows_pictures as shows_pictures
from triptych.envs.making import stickiness as stickiness
from triptych.envs.making import told as told
from triptych.envs.making import unread as unread
from triptych.envs.registry import KINDS as KINDS
from triptych.envs.registry import find as find
from triptych.envs.registry import register_kind as register_kind
from triptych.envs.settings import EnvConfig as EnvConfig
from triptych.envs.settings import as_before as as_before
from triptych.envs.settings import as_record as as_record
from triptych.envs.settings import changed as changed
from triptych.envs.settings import fitted as fitted
from triptych.envs.settings import from_record as from_record

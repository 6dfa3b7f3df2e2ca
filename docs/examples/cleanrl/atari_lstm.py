"""Space Invaders with the layers of CleanRL's ppo_atari_lstm.py, so that its weights fit: single frames, an LSTM of 128."""

from triptych import load_recipe, override
from triptych.spec import LSTM

shipped = load_recipe("space-invaders-ppo")
recipe = override(shipped, {"env.stack": 1, "network": (*shipped.network, LSTM(128))})

"""KungFuMaster with recurrent A3C, as the course sets it: single frames, frame skip 4, reward / 100, an LSTM.

The settings of Mnih et al. 2016 beside ours, and why they differ:

| | the paper | here | why |
|---|---|---|---|
| workers | 16, one game each, threads that write into shared weights without locks | 2, eight games each | two cores; eight games share each pass through the network, so a step costs less |
| an update | 5 steps of one game (t_max) | 20 steps of eight games | an LSTM learns nothing from further back than its rollout reaches |
| optimiser | RMSprop, statistics shared by the workers, decay 0.99 | the same | |
| epsilon | not stated | 1e-5 under the root | re-implementations have 0.1, which is about the squared gradient's own size here and would slow all steps |
| learning rate | drawn from 1e-4 to 1e-2, falls to 0 | 7e-4, falls to 0 | the middle of that range, and what A2C has in `kung-fu-master-a2c` |
| gradient's norm | no limit stated | at most 0.5 | one long gradient would count in the shared statistics for 100 updates |
| gamma, entropy | 0.99, 0.01 | the same | |
| reward | cut to -1 to 1 | / 100 | the course's: the blows are worth 100 to 500, and the network shall know which |
| pictures | 84 x 84, the last 4 | 42 x 42, one | the course's single frame, so that there is something to remember; 42 as in `kung-fu-master` |
| network | conv 16 8x8/4, conv 32 4x4/2, dense 256, LSTM 256 | that of `kung-fu-master` | small pictures need small kernels |
| returns | n-step, to the rollout's end | the same (gae_lambda 1) | |
| steps | days on 16 cores | 6,000,000 | as `kung-fu-master` |
"""

import dataclasses

from triptych.algorithms import a3c
from triptych.recipes.catalogue import kung_fu_master
from triptych.spec import RMSprop

original = kung_fu_master.recipe

recipe = dataclasses.replace(
    original,
    env=dataclasses.replace(original.env, stack=1),
    algorithm=a3c.Config(rollout_steps=20, gamma=0.99, entropy_weight=0.01, reward_scale=0.01, workers=2),
    optimiser=RMSprop(learning_rate=7e-4, final_rate=0.0, decay=0.99, epsilon=1e-5, max_norm=0.5),
    num_envs=8,
)

"""A stack or a recurrent layer: which bears hidden observations better? (Hausknecht & Stone 2015)"""

import dataclasses

from triptych.experiments.studies import Study
from triptych.experiments.studies.tasks import arm

# Attention is left out where nothing else is hidden: the question there is a stack's against a recurrent layer's.
KINDS = {"all": ("stack", "gru", "lstm"), "positions": ("stack", "gru", "lstm", "attention")}

study = Study(
    question="Trained with a quarter of the observations hidden, or with none: which memory bears how many hidden ones when it is tested?",
    learned="Where nothing else is hidden, a stack bears hidden observations that it never met in training as well as an LSTM does. On the positions attention falls fastest. Training with a quarter hidden costs GRU half its score where nothing is hidden and buys little at half hidden.",
    arms=tuple(
        dataclasses.replace(
            arm("positions", kind, memory=kind, **{"env.flicker": chance, "env.observe": observe}),
            task=f"{observe}, trained at {chance:.0%} blank",
        )
        for observe, kinds in KINDS.items()
        for chance in (0.0, 0.25)
        for kind in kinds
    ),
    flicker=(0.0, 0.1, 0.25, 0.5),
    reading="CartPole with all its four numbers, and with its two positions only; a hidden observation is all zeros, which it could also be in truth.",
)

"""Which memory, and how much of it? (M13)"""

from triptych.experiments.studies import Study
from triptych.experiments.studies.tasks import POLICY_TASKS, TASKS, arm

KINDS = ("none", "stack", "rnn", "gru", "lstm", "attention")
AMOUNTS = {"stack": ("length", (2, 8)), "lstm": ("units", (16, 128))}  # beside the recipe's own: 4 steps, 64 units

kinds = [arm(task, kind, memory=kind) for task in (*TASKS, *POLICY_TASKS) for kind in KINDS]
amounts = [
    arm(task, f"{kind}, {size} {name}", memory=kind, **{f"memory_{name}": size})
    for task in ("positions", "positions, PPO")
    for kind, (name, sizes) in AMOUNTS.items()
    for size in sizes
]
study = Study(
    question="Which memory, and how much of it, does a small partially observable task want?",
    learned="Without memory none of the tasks is solved. With a recurrent layer the memory chain and repeat previous are; attention fails only where the clue lies beyond its window. No kind wins everywhere, and on the positions five seeds do not tell the best ones apart.",
    arms=(*kinds, *amounts),
    reading="Positions: CartPole without its speeds, 500 at most. The chain: 1 is right, -1 wrong, 0 by chance. Catch: 1 is caught, -1 missed; 0.2 at best without memory. Repeat previous: 1 for all right, -0.5 by chance. Stack sees 4 steps and attention 16: neither reaches back to the chain's sign, and the stack not to the card.",
)

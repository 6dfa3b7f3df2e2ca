"""What the log of a run says. Tables of numbers alone: nothing is made or run."""

from triptych.checkup.afterwards.judge import judge_log as judge_log

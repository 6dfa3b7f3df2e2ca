"""The stream audit: a second reader of what a run learns from.

It hears what the games said and what was sent to them (`checkup.stream`), works out by itself what the recipe makes of that
(`expected`), and looks up in it the batches that the learner is fed. It shares no code with the stores, the returns, the
advantages and the priorities that it audits.
"""

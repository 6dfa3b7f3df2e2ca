"""The checkup of people's own code: a network, learner, replay, environment or whole loop behind a few methods (`protocol`).

It is probed (`probes`), its replay is audited on a small known stream (`replay`), its updates run in lockstep with plain NumPy in
float64 (`losses`, `learning`, `dense`), its loop is heard (`loop`). Nothing of Triptych's own loop or learners is needed for that.
"""

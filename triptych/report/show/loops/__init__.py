"""`triptych show --loop`: files that train by themselves, in the manner of CleanRL.

`build.py` puts a file together: `flags.py` writes its settings, `games.py` its games, `allowed.py` refuses what it cannot
do. All else is copied as it stands from `replay.py`, `off_policy.py`, `on_policy.py` and `log.py` here, and from
`frameworks/FRAMEWORK/plain.py`. A test trains what is written beside Triptych's own run, in float64.
"""

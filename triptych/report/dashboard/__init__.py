"""A live page over a folder of runs, served on this machine alone.

`find` knows which runs there are, `files` which are held, `tail` reads their logs as they grow, `status` and `warnings` say how they stand, `plotted` makes
curves of them, `seen` what the agent sees; `live` holds these together, `app` answers a browser, and `serve` opens the port.
"""

"""People's own networks with a memory: what they are asked (`protocol`), how their state is carried (`probes`), and what they learn from
sequences (`losses`, `learning`, with `unrolled` and `cells`, which are the same in NumPy)."""

"""The command line: flags to dataclasses, and what is printed. Nothing heavy is imported before a command runs.

May be in here: flags, tables, exit codes. May not: anything that Python users want too; that is `experiments` and `report`.
"""

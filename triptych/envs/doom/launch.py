"""Becomes the Doom engine, which the kernel then ends with the process that asked for it, however that one ends.

The engine by itself outlives a killed parent and ignores SIGTERM. Run as a file: python launch.py PARENT ENGINE ARGUMENTS...
"""

import contextlib
import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # of Linux' prctl

parent, engine, *arguments = sys.argv[1:]
with contextlib.suppress(
    AttributeError, OSError
):  # another system: `worker` ends the engine, where it is not killed itself
    ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
if os.getppid() == int(parent):  # else it died before the kernel was told
    os.execv(engine, [engine, *arguments])

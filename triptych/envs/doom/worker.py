"""A game of ViZDoom in a process of its own: the other side of `engine`.

Run as a file, so that nothing of Triptych is imported: python worker.py CONNECTION. It works in an empty folder, where the
engine leaves its files. When the other side is gone, however it ended, it closes its game and ends.
"""

import contextlib
import os
import shlex
import shutil
import signal
import sys
import warnings
from multiprocessing.connection import Connection

import gymnasium
import numpy as np
import vizdoom
import vizdoom.gymnasium_wrapper  # registers the ids

SHARED = "/dev/shm/"


class Doom:
    """A game by its Gymnasium id.

    Args:
        env_id: one of vizdoom's.
        options: of its maker; screen format and resolution by name.
        parts: what is told besides the screen: position, heading, variables.
    """

    def __init__(self, env_id, options, parts):
        for name, names in (("screen_format", vizdoom.ScreenFormat), ("screen_resolution", vizdoom.ScreenResolution)):
            options[name] = getattr(names, options[name])
        self.parts = parts
        self.env = gymnasium.make(env_id, disable_env_checker=True, **options).unwrapped
        self.game = self.env.game
        engine = os.path.join(os.path.dirname(vizdoom.__file__), "vizdoom")
        self.game.set_vizdoom_path(launcher(engine))
        self.game.set_sectors_info_enabled("position" in parts)  # whose walls bound the map
        self.bounds = None  # [2, 2] of x and y: low, high
        self.last = None  # what was seen last

    def made(self):
        space = self.env.action_space
        return {
            "actions": int(space.n) if isinstance(space, gymnasium.spaces.Discrete) else None,
            "space": str(space),
            "screen": self.env.observation_space["screen"].shape,
            "variables": self.env.num_game_variables,
            "names": [self.named(held) for held in getattr(self.env, "button_map", [])],
        }

    def named(self, held):
        """What the buttons of an action are called."""
        buttons = [button.name for button in self.game.get_available_buttons()]
        return " + ".join(button for button, down in zip(buttons, held, strict=True) if down) or "none"

    def reset(self, seed):
        self.env.reset(seed=seed)
        if self.bounds is None and "position" in self.parts:
            lines = [line for sector in self.env.state.sectors for line in sector.lines]
            corners = np.array([[(line.x1, line.y1), (line.x2, line.y2)] for line in lines]).reshape(-1, 2)
            self.bounds = np.stack([corners.min(axis=0), corners.max(axis=0)])
        shared = mapped()
        with open("shared", "w", encoding="utf-8") as file:  # for whoever cleans up where nobody of us could
            file.write("\n".join(shared))
        return self.seen(), {"engine": children(), "shared": shared}

    def step(self, action):
        _, reward, _, _, _ = self.env.step(action)
        ended = self.game.is_episode_finished()
        # The time is up, and nothing else has happened: the game would have gone on.
        timeout = ended and self.game.is_episode_timeout_reached() and not self.game.is_player_dead()
        return self.seen(), float(reward), ended and not timeout, timeout

    def seen(self):
        """What there is to see; at an episode's end, where the engine shows nothing any more, the last that it showed."""
        if self.env.state is None:
            return self.last
        variable, name = self.game.get_game_variable, vizdoom.GameVariable
        found = {"screen": self.env.state.screen_buffer.reshape(self.env.observation_space["screen"].shape)}
        if "position" in self.parts:
            place = np.array([variable(name.POSITION_X), variable(name.POSITION_Y)])
            share = (place - self.bounds[0]) / (self.bounds[1] - self.bounds[0])  # beyond 0 to 1 ends the run
            found["position"] = share.astype(np.float32)
        if "heading" in self.parts:
            angle = np.radians(variable(name.ANGLE))
            found["heading"] = np.array([np.cos(angle), np.sin(angle)], np.float32)
        if "variables" in self.parts:
            found["variables"] = self.env.state.game_variables.astype(np.float32)
        self.last = found
        return found

    def close(self):
        """Ends the engine; what does not end by itself is killed."""
        engines, shared = children(), mapped()
        with contextlib.suppress(Exception):
            self.game.close()
        for process in engines:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        for file in shared:
            with contextlib.suppress(OSError):
                os.unlink(file)


def launcher(engine):
    """A file that starts the engine by way of `launch`, as the library takes a path and no command."""
    command = [sys.executable, "-I", "-S", os.path.join(os.path.dirname(os.path.abspath(__file__)), "launch.py")]
    path = os.path.abspath("engine")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {shlex.join([*command, str(os.getpid()), engine])} "$@"\n')
    os.chmod(path, 0o700)
    return path


def children():
    """The processes that this one has started."""
    found = []
    with contextlib.suppress(OSError):  # no Linux
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/children", encoding="utf-8") as file:
                found += [int(word) for word in file.read().split()]
    return found


def mapped():
    """The files in shared memory that this process uses with its engine."""
    with contextlib.suppress(OSError), open("/proc/self/maps", encoding="utf-8") as file:
        return sorted({line.split()[-1] for line in file if f"{SHARED}ViZDoom" in line})
    return []


def main():
    connection = Connection(int(sys.argv[1]))
    warnings.simplefilter("ignore")
    doom = None
    try:
        while True:
            name, *given = connection.recv()
            if name == "close":
                return
            try:
                if name == "make":
                    doom = Doom(*given)
                    answer = doom.made()
                else:
                    answer = getattr(doom, name)(*given)
            except Exception as error:
                connection.send(("failed", f"{type(error).__name__}: {' '.join(str(error).split())}"))
            else:
                connection.send(("done", answer))
    except (EOFError, OSError):  # the other side is gone
        pass
    finally:
        if doom is not None:
            doom.close()
        shutil.rmtree(os.getcwd(), ignore_errors=True)


if __name__ == "__main__":
    main()

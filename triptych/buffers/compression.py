"""Frames compressed with zstd and a dictionary trained on the run's own frames."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np

from triptych.buffers.pictures import Segment
from triptych.spec import Observation

LEVEL = 3  # of zstd: higher ones take more time and save next to nothing here


DICTIONARY_BYTES = 64 * 1024


SAMPLES, SAMPLE_BYTES = 600, 8_000_000  # frames that a dictionary is trained on, and at most so many bytes of them
FIRST_DICTIONARY = 2_000  # frames after which the first one is trained, and with growing distance the next ones


MOST_BETWEEN = 200_000  # frames between two dictionaries: what is seen changes while an agent learns


CHUNK_BYTES = 1 << 20


INDEX_BYTES = 8 + 4 + 2  # of a compressed frame: position, length, dictionary


GUESSED_RATIO = 12  # of an Atari frame's bytes to its compressed ones, where none is measured yet


def are_compressed(observation: Observation, compress: bool) -> bool:
    """Whether a store compresses: pictures of bytes, where it is wanted."""
    return compress and observation.is_picture and observation.main.dtype == "uint8"


class CompressedPictures:
    """zstd, each frame by itself, with a dictionary trained on frames of this very run.

    The bytes lie one after the other in chunks of 1 MiB, with no object for a frame; a chunk goes when its last
    frame has. A frame keeps the dictionary that it was written with; the first ones have none.
    """

    def __init__(self, rows: int, num_envs: int, shape: tuple[int, ...], dtype: str = "uint8"):
        import zstandard

        self.zstd = zstandard
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.frame_bytes = int(np.prod(shape)) * self.dtype.itemsize
        self.chunk_bytes = max(CHUNK_BYTES, 4 * self.frame_bytes)
        self.chunks: deque[bytearray] = deque()
        self.first_chunk = 0  # the number of the oldest chunk kept
        self.used = self.chunk_bytes  # bytes of the newest chunk; there is none yet
        self.position = np.zeros((rows, num_envs), np.int64)  # chunk's number * chunk_bytes + offset
        self.length = np.zeros((rows, num_envs), np.uint32)  # 0: never written
        self.dictionary = np.zeros((rows, num_envs), np.uint16)
        self.dictionaries: list[bytes] = []
        self.decompressors: list[Any] = []  # of each dictionary; None: no frame uses it any more
        self.first_dictionary = 0  # the oldest one that a frame uses
        self.frames = 0  # written so far
        self.first_slot: int | None = None  # where the first row went
        self.next_dictionary = FIRST_DICTIONARY
        self.add_dictionary(b"")

    def add_dictionary(self, content: bytes) -> None:
        """Compresses from now on with `content`; empty: with none."""
        self.dictionaries.append(content)
        data = self.zstd.ZstdCompressionDict(content) if content else None
        self.compressor = self.zstd.ZstdCompressor(level=LEVEL, dict_data=data, write_dict_id=False)
        self.decompressors.append(self.zstd.ZstdDecompressor(dict_data=data))

    def put(self, slot: int, frames: np.ndarray) -> None:
        if self.first_slot is None:
            self.first_slot = slot
        for game, frame in enumerate(np.ascontiguousarray(frames)):
            self.write(slot, game, self.compressor.compress(frame.data), len(self.dictionaries) - 1)
        self.frames += len(frames)
        self.drop(slot)
        if self.frames >= self.next_dictionary:
            self.train(slot)

    def write(self, slot: int, game: int, compressed: bytes, dictionary: int) -> None:
        size = len(compressed)
        if self.used + size > self.chunk_bytes:
            self.chunks.append(bytearray(self.chunk_bytes))
            self.used = 0
        self.chunks[-1][self.used : self.used + size] = compressed
        newest = self.first_chunk + len(self.chunks) - 1
        self.position[slot, game] = newest * self.chunk_bytes + self.used
        self.length[slot, game], self.dictionary[slot, game] = size, dictionary
        self.used += size

    def drop(self, slot: int) -> None:
        """Lets go the chunks and dictionaries before the oldest row, which is the one after `slot` once the ring is full."""
        is_full = self.frames >= self.position.size
        oldest = (slot + 1) % len(self.position) if is_full else self.first_slot
        while self.first_chunk < self.position[oldest, 0] // self.chunk_bytes:
            self.chunks.popleft()
            self.first_chunk += 1
        while (
            self.first_dictionary < self.dictionary[oldest, 0]
        ):  # rows follow each other, and so do their dictionaries
            self.dictionaries[self.first_dictionary], self.decompressors[self.first_dictionary] = b"", None
            self.first_dictionary += 1

    def train(self, slot: int) -> None:
        """A dictionary from frames spread over the latest rows, for those that follow."""
        num_envs = self.position.shape[1]
        count = min(SAMPLES, max(8, SAMPLE_BYTES // self.frame_bytes))
        recent = min(self.frames, max(FIRST_DICTIONARY, self.next_dictionary // 2), self.position.size) // num_envs
        rows = (slot - np.linspace(0, max(0, recent - 1), count).astype(int)) % len(self.position)
        samples = [frame.tobytes() for frame in self.get(rows, np.arange(count) % num_envs)]
        self.next_dictionary = self.frames + min(MOST_BETWEEN, 4 * self.frames)
        try:
            content = self.zstd.train_dictionary(DICTIONARY_BYTES, samples, level=LEVEL).as_bytes()
        except self.zstd.ZstdError:  # frames with nothing in common: the last dictionary stays
            return
        self.add_dictionary(content)

    def get(self, slots: np.ndarray, games: np.ndarray) -> np.ndarray:
        out = np.empty((len(slots), self.frame_bytes), np.uint8)
        used = self.dictionary[slots, games]
        for number in np.unique(used):
            wanted = np.flatnonzero(used == number)
            self.decompress(int(number), slots[wanted], games[wanted], out, wanted)
        return out.view(self.dtype).reshape(len(slots), *self.shape)

    def decompress(self, number: int, slots: np.ndarray, games: np.ndarray, out: np.ndarray, where: np.ndarray) -> None:
        """Into `out[where]`; the decoding itself holds no interpreter lock."""
        chunk, start = np.divmod(self.position[slots, games], self.chunk_bytes)
        end = start + self.length[slots, games]
        places = zip((chunk - self.first_chunk).tolist(), start.tolist(), end.tolist(), strict=True)
        compressed = [memoryview(self.chunks[c])[a:b] for c, a, b in places]
        sizes = np.full(len(slots), self.frame_bytes, np.uint64).tobytes()
        found = self.decompressors[number].multi_decompress_to_buffer(compressed, decompressed_sizes=sizes, threads=1)
        for index, place in enumerate(where):
            out[place] = np.frombuffer(found[index], np.uint8)

    def take(self, slots: np.ndarray) -> Segment:
        length = self.length[slots].astype(np.int64).ravel()
        chunk, start = np.divmod(self.position[slots].ravel(), self.chunk_bytes)
        together, end = np.empty(int(length.sum()), np.uint8), 0
        for number, first, size in zip(
            (chunk - self.first_chunk).tolist(), start.tolist(), length.tolist(), strict=True
        ):
            together[end : end + size] = memoryview(self.chunks[number])[first : first + size]
            end += size
        numbers = sorted({int(number) for number in self.dictionary[slots].ravel()})
        dictionaries = [self.dictionaries[number] for number in numbers]
        return {
            "frame/bytes": together,
            "frame/length": self.length[slots],
            "frame/dictionary": np.searchsorted(numbers, self.dictionary[slots]).astype(np.uint16),
            "frame/dictionaries": np.frombuffer(b"".join(dictionaries), np.uint8),
            "frame/dictionary_length": np.array([len(content) for content in dictionaries], np.uint32),
        }

    @property
    def row_bytes(self) -> float:
        """Guessed before the first dictionary is trained."""
        frames = max(1, min(self.frames, self.position.size))
        held = (
            sum(map(len, self.chunks)) / frames if self.frames > FIRST_DICTIONARY else self.frame_bytes / GUESSED_RATIO
        )
        return self.position.shape[1] * (held + INDEX_BYTES)


def frames_of(segment: Segment, rows: np.ndarray, shape: tuple[int, ...], dtype: str) -> Any:
    """Yields the frames [N, *frame] of a segment's rows, whichever form wrote it."""
    if "frame" in segment:
        yield from segment["frame"][rows]
        return
    import zstandard

    ends = np.cumsum(segment["frame/dictionary_length"])
    contents = np.split(segment["frame/dictionaries"], ends[:-1])
    dictionaries = [zstandard.ZstdCompressionDict(c.tobytes()) if len(c) else None for c in contents]
    decompressors = [zstandard.ZstdDecompressor(dict_data=content) for content in dictionaries]
    length = segment["frame/length"].astype(np.int64)
    start = (np.cumsum(length.ravel()) - length.ravel()).reshape(length.shape)
    held, wanted = segment["frame/bytes"].tobytes(), math.prod(shape) * np.dtype(dtype).itemsize
    for row in rows:
        frames = []
        for a, size, number in zip(start[row], length[row], segment["frame/dictionary"][row], strict=True):
            piece = held[a : a + size]
            if zstandard.frame_content_size(piece) != wanted:  # else a few bytes could ask for any memory
                raise ValueError(f"a compressed frame is not of {wanted} bytes")
            frames.append(decompressors[number].decompress(piece))
        yield np.frombuffer(b"".join(frames), dtype).reshape(length.shape[1], *shape)

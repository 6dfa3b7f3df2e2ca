"""Codecs on recorded frames; runs in an environment of its own.  peers/picture_codecs.py FRAMES.npy, [N, T, 84, 84]"""

import json
import sys
import time
from importlib.metadata import version

import blosc2
import lz4.block
import numpy as np
import zstandard

LEVEL, DICTIONARY, SAMPLES, KEY = 3, 64 * 1024, 600, 8  # of the difference, one frame in KEY is whole
READS = 400


def zstd(dictionary=None):
    data = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=data, write_dict_id=False), zstandard.ZstdDecompressor(
        dict_data=data
    )


def trained(frames):
    chosen = np.linspace(0, len(frames) - 1, SAMPLES).astype(int)
    return zstandard.train_dictionary(DICTIONARY, [frames[i].tobytes() for i in chosen], level=LEVEL).as_bytes()


def codecs(learn, learn_difference):
    """Name to (write, read, is difference). `read` gives the bytes of one."""
    plain, plain_read = zstd()
    content, difference = trained(learn), trained(learn_difference)
    known, known_read = zstd(content)
    changed, changed_read = zstd(difference)
    size = learn[0].nbytes
    blosc = {"codec": blosc2.Codec.ZSTD, "clevel": 5, "typesize": 1}
    return {
        "zstd": (plain.compress, plain_read.decompress, False),
        "zstd + dictionary": (known.compress, known_read.decompress, False),
        "zstd of the difference": (plain.compress, plain_read.decompress, True),
        "zstd of the difference + dict": (changed.compress, changed_read.decompress, True),
        "lz4": (
            lambda data: lz4.block.compress(data, store_size=False),
            lambda data: lz4.block.decompress(data, uncompressed_size=size),
            False,
        ),
        "lz4 + dictionary": (
            lambda data: lz4.block.compress(data, store_size=False, dict=content),
            lambda data: lz4.block.decompress(data, uncompressed_size=size, dict=content),
            False,
        ),
        "blosc2 (zstd)": (lambda data: blosc2.compress2(data, **blosc), blosc2.decompress2, False),
    }


def difference(frames):
    """Each frame XOR the one before it; every KEY-th as it is. [N, T, ...]"""
    changed = frames.copy()
    changed[:, 1:] ^= frames[:, :-1]
    changed[:, ::KEY] = frames[:, ::KEY]
    return changed


def read(held, decode, place, is_difference):
    """Five frames from `place` on."""
    if not is_difference:
        return [np.frombuffer(decode(held[i]), np.uint8) for i in range(place, place + 5)]
    found, frame = [], None
    for i in range(place - place % KEY, place + 5):
        one = np.frombuffer(decode(held[i]), np.uint8)
        frame = one if i % KEY == 0 else frame ^ one
        found.append(frame)
    return found[-5:]


def main(path):
    frames = np.load(path)
    third = frames.shape[1] // 3 // KEY * KEY
    changed = difference(frames)
    flat = [array[:, third:].reshape(-1, *array.shape[2:]) for array in (frames, changed)]
    learn = [array[:, :third].reshape(-1, *array.shape[2:]) for array in (frames, changed)]
    rows = (frames.shape[1] - third) // KEY * KEY  # of one game, so that differences start with a whole frame
    plain, differences = (array[:rows] for array in flat)
    places = np.random.default_rng(0).integers(0, rows - 5, READS)
    found = {}
    for name, (encode, decode, is_difference) in codecs(*learn).items():
        data = [frame.tobytes() for frame in (differences if is_difference else plain)]
        start = time.perf_counter()
        held = [encode(one) for one in data]
        written = (time.perf_counter() - start) / len(data)
        for place in places[:20]:
            five = read(held, decode, place, is_difference)
            assert all((one == want.ravel()).all() for one, want in zip(five, plain[place : place + 5], strict=True)), (
                name
            )
        times = []
        for place in places:
            start = time.perf_counter()
            read(held, decode, place, is_difference)
            times.append(time.perf_counter() - start)
        sizes = [len(encode(frame.tobytes())) for frame in (flat[1] if is_difference else flat[0])]
        found[name] = {
            "bytes": float(np.mean(sizes)),
            "write_us": written * 1e6,
            "read_five_us": float(np.median(times)) * 1e6,
        }
    versions = {name: version(name) for name in ("zstandard", "lz4", "blosc2")}
    print(json.dumps({"codecs": found, "versions": versions}))


if __name__ == "__main__":
    main(sys.argv[1])

"""TFRecord, the framing of TensorBoard's event files: a record's length (8 bytes), a checksum of that (4), the record, its checksum (4)."""

from __future__ import annotations

CRC = [0] * 256
for byte in range(256):
    rest = byte
    for _ in range(8):
        rest = (rest >> 1) ^ (0x82F63B78 if rest & 1 else 0)  # Castagnoli's polynomial
    CRC[byte] = rest


def masked(data: bytes) -> int:
    """TFRecord's checksum: CRC-32C, turned and shifted."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC[(crc ^ byte) & 255] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def framed(record: bytes) -> bytes:
    """A record as it stands in a file."""
    length = len(record).to_bytes(8, "little")
    return length + masked(length).to_bytes(4, "little") + record + masked(record).to_bytes(4, "little")

"""HTTP/2 written by hand: what a well-behaved library would refuse to send."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    0, 1, 3, 4, 6, 7, 8, 9,
)
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
CANCEL = 8

# The largest frame that a server takes by default.
FRAME_MAX = 16_384


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def hello():
    return PREFACE + frame(SETTINGS, 0, 0)


def _integer(value, bits, first):
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out = [first | most]
    value -= most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + [value])


def _text(text):
    text = text if isinstance(text, bytes) else text.encode()
    return _integer(len(text), 7, 0) + text


def literal(name, value, first=0x00):
    """A header field, not compressed; `first` 0x40 adds it to the server's table."""
    return bytes([first]) + _text(name) + _text(value)


def indexed(index):
    return _integer(index, 7, 0x80)


def request(authority, path, method="GET"):
    pairs = [(":method", method), (":scheme", "http"), (":path", path), (":authority", authority)]
    return b"".join(literal(name, value) for name, value in pairs)


_STATIC = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}
# The digits in HPACK's Huffman code.
_DIGITS = {f"{i:05b}": str(i) for i in range(3)} | {f"{i + 22:06b}": str(i) for i in range(3, 10)}


def status(block):
    """The status of an answer, if its header block tells without a table."""
    if not block:
        return None
    if block[0] & 0x80:
        return _STATIC.get(block[0] & 0x7F)
    if len(block) < 3 or (block[0] & 0x0F) not in _STATIC:
        return None
    length, coded = block[1] & 0x7F, block[1] & 0x80
    value = block[2 : 2 + length]
    if not coded:
        return int(value) if value.isdigit() else None
    bits, code, digits = "".join(f"{byte:08b}" for byte in value), "", ""
    for bit in bits:
        code += bit
        if code in _DIGITS:
            digits, code = digits + _DIGITS[code], ""
    return int(digits) if len(digits) == 3 else None


def parse(buffer):
    """Takes whole frames off the bytearray: (kind, flags, stream, payload)."""
    while len(buffer) >= 9:
        length = int.from_bytes(buffer[:3], "big")
        if len(buffer) < 9 + length:
            return
        kind, flags, stream = buffer[3], buffer[4], int.from_bytes(buffer[5:9], "big")
        payload = bytes(buffer[9 : 9 + length])
        del buffer[: 9 + length]
        yield kind, flags, stream, payload

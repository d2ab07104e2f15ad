"""Slowloris: connections that are held, and say little or nothing.

They come from 127.0.0.2 to 127.0.0.9, so that a limit per address alone does
not turn them away. Each is opened again when the server closes it.
"""

import asyncio
import multiprocessing
import random
import time

import frames

SOURCES = [f"127.0.0.{number}" for number in range(2, 10)]
KINDS = ("dribble", "silent", "h2_silent")
DRIBBLE_EVERY_S = 2.0
# All connections together, however often the server closes them.
OPENED_MAX_TIMES = 10


class Slowloris:
    """Runs in a process of its own, so that it does not take the time of the
    good clients that are measured. Ends by itself after `seconds`."""

    def __init__(self, host, port, connections, seconds):
        context = multiprocessing.get_context("spawn")
        self.connections = connections
        self.open = context.Value("q", 0)
        self.opened = context.Value("q", 0)
        self.closed_by_server = context.Value("q", 0)
        self.not_connected = context.Value("q", 0)
        counters = (self.open, self.opened, self.closed_by_server, self.not_connected)
        arguments = (host, port, connections, seconds, counters)
        self.process = context.Process(target=_run, args=arguments, daemon=True)

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()

    def wait_until_open(self, seconds):
        """Until 95 % stand; false: the server lets fewer stand."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.open.value >= self.connections * 0.95:
                return True
            time.sleep(0.05)
        return False

    def counts(self):
        return {
            "opened": self.opened.value,
            "closed_by_server": self.closed_by_server.value,
            "not_connected": self.not_connected.value,
        }


def _run(host, port, connections, seconds, counters):
    try:
        asyncio.run(asyncio.wait_for(_hold_all(host, port, connections, counters), seconds))
    except (asyncio.TimeoutError, KeyboardInterrupt):
        pass


async def _hold_all(host, port, connections, counters):
    # Opened over four seconds: one burst of connects would measure another thing.
    tasks = []
    for number in range(connections):
        tasks.append(asyncio.create_task(_hold(number, host, port, connections, counters)))
        await asyncio.sleep(4 / connections)
    await asyncio.gather(*tasks)


async def _hold(number, host, port, connections, counters):
    open_now, opened, closed_by_server, not_connected = counters
    source, kind = SOURCES[number % len(SOURCES)], KINDS[number // len(SOURCES) % len(KINDS)]
    while opened.value < connections * OPENED_MAX_TIMES:
        began = time.monotonic()
        try:
            connect = asyncio.open_connection(host, port, local_addr=(source, 0))
            reader, writer = await asyncio.wait_for(connect, 5)
        except (OSError, asyncio.TimeoutError):
            not_connected.value += 1
            await asyncio.sleep(0.5)
            continue
        opened.value += 1
        open_now.value += 1
        try:
            await _say_little(kind, reader, writer)
        except OSError:
            pass
        finally:
            open_now.value -= 1
            writer.close()
        closed_by_server.value += 1
        lasted = time.monotonic() - began
        await asyncio.sleep(random.uniform(0, 0.2) if lasted > 1 else 0.5)


async def _say_little(kind, reader, writer):
    """Returns when the server closes."""
    if kind == "h2_silent":
        writer.write(frames.hello())
    if kind != "dribble":
        while await reader.read(4096):
            pass
        return
    reading = asyncio.create_task(reader.read(4096))
    try:
        for piece in ("GET / HTTP/1.1\r\n", "host: localhost\r\n", *["x-slow: 1\r\n"] * 10_000):
            writer.write(piece.encode())
            done, _ = await asyncio.wait({reading}, timeout=DRIBBLE_EVERY_S)
            if done:
                reading.exception()
                return
    finally:
        reading.cancel()

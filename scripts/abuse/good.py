"""Clients that behave: what they see while others do not."""

import http.client
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

# A client opens a new connection after so many calls: also newcomers count.
CALLS_A_CONNECTION = 10
TIMEOUT_S = 10


class Good:
    def __init__(self, url, token):
        parts = urlsplit(url)
        self.host, self.port = parts.hostname, parts.port or 80
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.headers = {"authorization": f"Bearer {token}"} if token else {}

    def _connection(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)

    def _call(self, connection):
        connection.request("GET", self.path, headers=self.headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def once(self):
        """The status of one call on a connection of its own, or what went wrong."""
        connection = self._connection()
        try:
            return self._call(connection)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()

    def measure(self, seconds, rate, clients):
        """Calls at a fixed rate. Times run from when a call was due, so that one
        which holds up the next ones counts for each of them."""
        results, lock = [], threading.Lock()
        start = time.monotonic() + 0.1
        each = int(seconds * rate / clients)

        def work(number):
            own, connection = [], self._connection()
            for call in range(each):
                due = start + (call + number / clients) * clients / rate
                time.sleep(max(0.0, due - time.monotonic()))
                if call % CALLS_A_CONNECTION == CALLS_A_CONNECTION - 1:
                    connection.close()
                try:
                    status = self._call(connection)
                except (OSError, http.client.HTTPException) as error:
                    status = type(error).__name__
                    connection.close()
                own.append((time.monotonic() - due, status))
            connection.close()
            with lock:
                results.extend(own)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Measured(results)


class Measured:
    def __init__(self, results):
        self.times = sorted(seconds for seconds, _ in results)
        self.statuses = Counter(str(status) for _, status in results)
        self.errors = sum(count for status, count in self.statuses.items() if status != "200")

    def ms(self, quantile):
        if not self.times:
            return None
        at = min(len(self.times) - 1, int(len(self.times) * quantile))
        return round(self.times[at] * 1000, 3)

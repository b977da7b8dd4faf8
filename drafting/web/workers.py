"""The line between workers, through Redis: what moved, and who is where. Nothing of the text itself.

Workers tell each other only that a section moved; each reads the rows itself, because relayed messages can overtake
each other. A word that is lost only delays: the live server looks into the database now and then. A Redis that is gone
or hangs never holds anybody up for longer than `PATIENCE`.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from drafting.services.heads import Movement

log = logging.getLogger(__name__)

CHANNEL = "drafting:moved"
PATIENCE = 2.0  # s for Redis to take a message
SILENCE = 5.0  # s without a try after it took none


class Workers:
    """One worker's end of the line."""

    def __init__(self, url: str, worker: str, hear: Callable[[dict[str, Any]], None]) -> None:
        self.worker = worker
        self._hear = hear
        self._line = redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        self._listening = redis.from_url(url, socket_connect_timeout=PATIENCE, health_check_interval=10)
        self._silent_until = 0.0  # after Redis took nothing, it is not tried for a moment
        self._running = True
        threading.Thread(target=self._listen, name="live listener", daemon=True).start()

    def close(self) -> None:
        self._running = False

    def tell(self, message: dict[str, Any]) -> None:
        """Says something to all other workers; nothing for a moment after Redis failed, so that nobody waits twice."""
        if time.monotonic() < self._silent_until:
            return
        try:
            self._line.publish(CHANNEL, json.dumps({"worker": self.worker, **message}))
        except redis.RedisError as error:
            log.warning("Redis did not take a message: %s", error)
            self._silent_until = time.monotonic() + SILENCE

    def _listen(self) -> None:
        while self._running:
            try:
                with self._listening.pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(CHANNEL)
                    while self._running:
                        message = channel.get_message(timeout=1.0)
                        if message is not None:
                            heard = json.loads(message["data"])
                            if heard.get("worker") != self.worker:
                                self._hear(heard)
            except Exception as error:  # whatever it was, the line is to be there again
                log.warning("the line to Redis broke: %s; trying again", error)
                time.sleep(1.0)


def movement_json(movement: Movement) -> dict[str, Any]:
    """A movement as workers tell it."""
    return {
        "section": movement.section_id,
        "document": movement.document_id,
        "streams": sorted(movement.streams),
        "suggestions": sorted(movement.suggestions),
        "cards": sorted(movement.cards),
        "what": sorted(movement.what),
    }


def movement_of(message: dict[str, Any]) -> Movement:
    return Movement(
        message["section"],
        message["document"],
        set(message["streams"]),
        set(message["suggestions"]),
        {(kind, number) for kind, number in message["cards"]},
        set(message["what"]),
    )

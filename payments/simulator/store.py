"""The provider's own books: one SQLite file, apart from the shop's database.

Objects are kept as JSON documents beside the few columns they are looked up by. One connection
behind one lock serves all threads; a write-ahead log keeps what was answered over a restart.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    payment_intent TEXT,
    charge TEXT,
    created INTEGER NOT NULL,
    expires_at INTEGER,
    body TEXT NOT NULL,
    private TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS documents_by_kind ON documents (kind, seq);
CREATE INDEX IF NOT EXISTS documents_by_intent ON documents (payment_intent)
    WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_expiry ON documents (expires_at)
    WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    type TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    answer TEXT NOT NULL DEFAULT '',
    delivered_at REAL
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
"""


@dataclass(frozen=True)
class StoredAnswer:
    fingerprint: str
    status: int
    body: str
    created: int


@dataclass(frozen=True)
class Delivery:
    """One webhook call to make. States: pending, delivered, withheld, failed."""

    id: int
    event: str
    type: str
    state: str
    due_at: float
    attempts: int
    answer: str
    delivered_at: float | None


@dataclass(frozen=True)
class Condition:
    """A column of `documents` held against a value, as in `created >= 1700000000`.

    With the operator IN the value is a JSON list.
    """

    column: str
    operator: str
    value: Any


class Store:
    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._after_commit: list[Callable[[], None]] = []
        self._connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, timeout=5
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all writes inside one whole; holds the store's lock to its end. Nests."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._after_commit.clear()
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth > 0:
                return
            self._connection.execute("COMMIT")
            callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            callback()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back once the transaction that is open now has been kept."""
        self._after_commit.append(callback)

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def _run(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        with self._lock:
            return self._connection.execute(sql, values)

    # Documents

    def insert(self, document: Document, *, label: str, **private: Any) -> None:
        """Keep a new document; `private` is what the API never shows."""
        self._run(
            "INSERT INTO documents (id, kind, label, payment_intent, charge, created, expires_at,"
            " body, private) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                document["id"],
                document["object"],
                label,
                document.get("payment_intent"),
                document.get("charge"),
                document["created"],
                document.get("expires_at"),
                to_json(document),
                to_json(private),
            ),
        )

    def update(self, document: Document, *, label: str) -> None:
        self._run(
            "UPDATE documents SET label = ?, payment_intent = ?, body = ? WHERE id = ?",
            (label, document.get("payment_intent"), to_json(document), document["id"]),
        )

    def forget(self, object_id: str) -> None:
        self._run("DELETE FROM documents WHERE id = ?", (object_id,))

    def get(self, kind: str, object_id: str) -> Document | None:
        rows = self._rows("SELECT body FROM documents WHERE id = ? AND kind = ?", (object_id, kind))
        return json.loads(rows[0]["body"]) if rows else None

    def get_private(self, object_id: str) -> Document:
        rows = self._rows("SELECT private FROM documents WHERE id = ?", (object_id,))
        private: Document = json.loads(rows[0]["private"])
        return private

    def position_of(self, kind: str, object_id: str) -> int | None:
        """Return where the document stands in the order of creation."""
        rows = self._rows("SELECT seq FROM documents WHERE id = ? AND kind = ?", (object_id, kind))
        return rows[0]["seq"] if rows else None

    def list_documents(
        self, kind: str, conditions: Sequence[Condition], *, limit: int, oldest_first: bool = False
    ) -> list[Document]:
        clauses = "".join(
            f" AND {each.column} IN (SELECT value FROM json_each(?))"
            if each.operator == "IN"
            else f" AND {each.column} {each.operator} ?"
            for each in conditions
        )
        order = "ASC" if oldest_first else "DESC"
        rows = self._rows(
            f"SELECT body FROM documents WHERE kind = ?{clauses} ORDER BY seq {order} LIMIT ?",
            (kind, *(each.value for each in conditions), limit),
        )
        return [json.loads(row["body"]) for row in rows]

    def list_overdue(self, now: float) -> list[str]:
        """Return the open sessions whose time is over."""
        rows = self._rows(
            "SELECT id FROM documents WHERE expires_at <= ? AND label = 'open'", (now,)
        )
        return [row["id"] for row in rows]

    # Answers kept for idempotency keys

    def get_answer(self, key: str) -> StoredAnswer | None:
        rows = self._rows(
            "SELECT fingerprint, status, body, created FROM answers WHERE key = ?", (key,)
        )
        return StoredAnswer(**dict(rows[0])) if rows else None

    def keep_answer(self, key: str, answer: StoredAnswer) -> None:
        self._run(
            "INSERT OR REPLACE INTO answers (key, fingerprint, status, body, created)"
            " VALUES (?, ?, ?, ?, ?)",
            (key, answer.fingerprint, answer.status, answer.body, answer.created),
        )

    def forget_answers(self, *, before: float) -> None:
        self._run("DELETE FROM answers WHERE created < ?", (before,))

    # Deliveries

    def add_delivery(self, event: Document, *, due_at: float, state: str) -> int:
        cursor = self._run(
            "INSERT INTO deliveries (event, type, state, due_at) VALUES (?, ?, ?, ?)",
            (event["id"], event["type"], state, due_at),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def list_due(
        self, now: float, *, limit: int, prefixes: Sequence[str] = ("",)
    ) -> list[Delivery]:
        """Return what is due of the events whose ids begin so, the longest waiting first."""
        if not prefixes:
            return []
        begins_so = " OR ".join("event GLOB ?" for _each in prefixes)
        rows = self._rows(
            f"SELECT * FROM deliveries WHERE state = 'pending' AND due_at <= ? AND ({begins_so})"
            " ORDER BY due_at, id LIMIT ?",
            (now, *(f"{prefix}*" for prefix in prefixes), limit),
        )
        return [Delivery(**dict(row)) for row in rows]

    def next_due_at(self, *, after: float) -> float | None:
        rows = self._rows(
            "SELECT min(due_at) AS due_at FROM deliveries WHERE state = 'pending' AND due_at > ?",
            (after,),
        )
        due_at: float | None = rows[0]["due_at"]
        return due_at

    def list_deliveries(self) -> list[Delivery]:
        return [Delivery(**dict(row)) for row in self._rows("SELECT * FROM deliveries ORDER BY id")]

    def record_success(self, delivery: Delivery, *, answer: str, now: float) -> None:
        self._run(
            "UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, answer = ?,"
            " delivered_at = ? WHERE id = ?",
            (answer, now, delivery.id),
        )

    def record_failure(self, delivery: Delivery, *, answer: str, next_at: float | None) -> None:
        """Note a failed attempt; without a next time the delivery is given up."""
        self._run(
            "UPDATE deliveries SET attempts = attempts + 1, answer = ?, due_at = ?, state = ?"
            " WHERE id = ?",
            (
                answer,
                delivery.due_at if next_at is None else next_at,
                "failed" if next_at is None else "pending",
                delivery.id,
            ),
        )

    def count_pending(self, event_id: str) -> int:
        rows = self._rows(
            "SELECT count(*) AS pending FROM deliveries WHERE event = ? AND state = 'pending'",
            (event_id,),
        )
        pending: int = rows[0]["pending"]
        return pending


def to_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

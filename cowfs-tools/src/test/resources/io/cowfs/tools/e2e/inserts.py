"""Inserts, updates and deletes rows of an SQLite database, and checks it.

usage: inserts.py fill|check FILE JOURNAL_MODE
"""

import sqlite3
import sys

ROWS = 2000


def body(row):
    return bytes((row * 31 + i) % 251 for i in range(row % 700))


def fill(database, mode):
    got = database.execute(f"PRAGMA journal_mode={mode}").fetchone()[0]
    assert got == mode.lower(), f"journal_mode {got} instead of {mode}"
    database.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB)")
    database.execute("CREATE INDEX by_body ON item (body)")
    for start in range(0, ROWS, 20):
        database.execute("BEGIN")
        for row in range(start, start + 20):
            database.execute("INSERT INTO item VALUES (?, ?)", (row, b"not yet"))
        database.execute("COMMIT")
    database.execute("BEGIN")
    for row in range(ROWS):
        database.execute("UPDATE item SET body = ? WHERE id = ?", (body(row), row))
    database.execute("COMMIT")
    database.execute("BEGIN")
    database.execute("DELETE FROM item")
    database.execute("ROLLBACK")
    database.execute("DELETE FROM item WHERE id % 3 = 0")
    database.execute("VACUUM")


def check(database, _):
    assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    rows = database.execute("SELECT id, body FROM item ORDER BY id").fetchall()
    assert rows == [(row, body(row)) for row in range(ROWS) if row % 3 != 0], "wrong rows"


connection = sqlite3.connect(sys.argv[2], isolation_level=None)
{"fill": fill, "check": check}[sys.argv[1]](connection, sys.argv[3])
connection.close()

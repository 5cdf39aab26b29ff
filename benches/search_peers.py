#!/usr/bin/env python3
"""The same comments and queries in Groonga and SQLite, and all three as whole commands. Run by benches/search.sh.

    search_peers.py build WORK            makes WORK/groonga and WORK/sqlite.db from WORK/comments.jsonl
    search_peers.py in-process WORK QUERIES ROUNDS
    search_peers.py commands WORK QUERIES ROUNDS JIREI

Prints a line of JSON for each engine; times are milliseconds, the best of some rounds for each query.
"""

import json
import math
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time

SCHEMA = """\
table_create Prefectures TABLE_HASH_KEY ShortText
table_create Facilities TABLE_HASH_KEY ShortText
table_create Questions TABLE_HASH_KEY ShortText
table_create Categories TABLE_HASH_KEY ShortText
table_create Comments TABLE_HASH_KEY ShortText
column_create Comments prefecture COLUMN_SCALAR Prefectures
column_create Comments facility COLUMN_SCALAR Facilities
column_create Comments question COLUMN_SCALAR Questions
column_create Comments categories COLUMN_VECTOR Categories
column_create Comments chars COLUMN_SCALAR UInt32
column_create Comments text COLUMN_SCALAR Text
table_create Words TABLE_PAT_KEY ShortText --default_tokenizer TokenMecab --normalizer NormalizerNFKC130
"""
INDEXES = """\
column_create Words comments_text COLUMN_INDEX|WITH_POSITION Comments text
column_create Prefectures comments COLUMN_INDEX Comments prefecture
column_create Facilities comments COLUMN_INDEX Comments facility
column_create Questions comments COLUMN_INDEX Comments question
column_create Categories comments COLUMN_INDEX Comments categories
table_create Lengths TABLE_PAT_KEY UInt32
column_create Lengths comments COLUMN_INDEX Comments chars
"""
TABLES = """\
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE comments (id TEXT, prefecture TEXT, facility TEXT, question TEXT, chars INTEGER, text TEXT);
CREATE TABLE categories (category TEXT, comment INTEGER, PRIMARY KEY (category, comment)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (text, content = 'comments', tokenize = 'trigram');
"""


def comments(work):
    with open(work / "comments.jsonl", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def size(path):
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_blocks * 512 for file in files)


def build_groonga(work):
    folder = work / "groonga"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    start = time.perf_counter()
    loader = subprocess.Popen(
        ["groonga", "-n", str(folder / "db")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, encoding="utf-8"
    )
    loader.stdin.write(SCHEMA + "load --table Comments\n[\n")
    for number, comment in enumerate(comments(work)):
        row = {"_key": comment["id"], "chars": len(comment["text"])}
        row |= {key: comment[key] for key in ("prefecture", "facility", "question", "categories", "text")}
        loader.stdin.write(("," if number else "") + json.dumps(row, ensure_ascii=False) + "\n")
    loader.stdin.write("]\n" + INDEXES)
    loader.stdin.close()
    loader.wait()
    return time.perf_counter() - start, size(folder)


def build_sqlite(work):
    path = work / "sqlite.db"
    path.unlink(missing_ok=True)
    start = time.perf_counter()
    database = sqlite3.connect(path)
    database.executescript(TABLES)
    for number, comment in enumerate(comments(work), 1):
        keys = ("id", "prefecture", "facility", "question")
        row = [number, *(comment[key] for key in keys), len(comment["text"]), comment["text"]]
        database.execute("INSERT INTO comments (rowid, id, prefecture, facility, question, chars, text) VALUES (?,?,?,?,?,?,?)", row)
        database.executemany("INSERT INTO categories VALUES (?, ?)", [(name, number) for name in comment["categories"]])
    database.executescript(
        "INSERT INTO words (words) VALUES ('rebuild'); INSERT INTO words (words) VALUES ('optimize');"
        "CREATE INDEX by_prefecture ON comments (prefecture); CREATE INDEX by_facility ON comments (facility);"
        "CREATE INDEX by_question ON comments (question); ANALYZE;"
    )
    database.commit()
    database.close()
    return time.perf_counter() - start, size(path)


def show(engine, how, times, **more):
    times = sorted(times)
    at = lambda share: round(times[max(1, math.ceil(len(times) * share)) - 1], 3)
    figures = {"queries": len(times), "median_ms": at(0.5), "p99_ms": at(0.99), "mean_ms": round(sum(times) / len(times), 3)}
    print(json.dumps({"engine": engine, "how": how} | figures | more, ensure_ascii=False), flush=True)


def in_process(work, queries, rounds):
    best = [math.inf] * len(queries)
    hits = [0] * len(queries)
    for _ in range(rounds):
        text = "".join(query["groonga"] + "\n" for query in queries)
        ran = subprocess.run(["groonga", str(work / "groonga/db")], input=text, stdout=subprocess.PIPE, encoding="utf-8", check=True)
        for at, line in enumerate(ran.stdout.splitlines()):
            (status, _, elapsed, *_), body = json.loads(line)
            assert status == 0, line
            best[at] = min(best[at], elapsed * 1e3)
            hits[at] = body[0][0][0]
    show("groonga", "in process", best, hits=sum(hits))

    database = sqlite3.connect(f"file:{work}/sqlite.db?mode=ro", uri=True)
    database.execute("PRAGMA mmap_size = 4000000000")
    best = [math.inf] * len(queries)
    # A query that takes a second is not asked again.
    for _ in range(rounds):
        for at, query in enumerate(queries):
            if best[at] > 1_000 and best[at] < math.inf:
                continue
            start = time.perf_counter()
            database.execute(query["sqlite"]).fetchall()
            best[at] = min(best[at], (time.perf_counter() - start) * 1e3)
    show("sqlite", "in process", best)
    indexed = [best[at] for at, query in enumerate(queries) if "MATCH" in query["sqlite"]]
    show("sqlite", "in process, the queries that its index can answer", indexed)


def commands(work, queries, rounds, jirei):
    def run(command):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return (time.perf_counter() - start) * 1e3

    engines = {
        "jirei": lambda query: [jirei, "search", "--casebook", str(work / "casebook"), "--format", "jsonl", "--", query["jirei"]],
        "groonga": lambda query: ["groonga", str(work / "groonga/db"), query["groonga"]],
        "sqlite": lambda query: ["sqlite3", str(work / "sqlite.db"), query["sqlite"]],
    }
    # In turn, so that each meets the same moments of the machine.
    best = {engine: [math.inf] * len(queries) for engine in engines}
    for _ in range(rounds):
        for at, query in enumerate(queries):
            for engine, command in engines.items():
                best[engine][at] = min(best[engine][at], run(command(query)))
    for engine, times in best.items():
        show(engine, "command", times)
    show("/bin/true", "command", [min(run(["/bin/true"]) for _ in range(rounds)) for _ in queries])


def main():
    what, work = sys.argv[1], pathlib.Path(sys.argv[2])
    if what == "build":
        for engine, build in (("groonga", build_groonga), ("sqlite", build_sqlite)):
            seconds, size_of = build(work)
            print(json.dumps({"engine": engine, "how": "build", "seconds": round(seconds, 1), "megabytes": round(size_of / 1e6)}), flush=True)
        return
    queries = [json.loads(line) for line in open(sys.argv[3], encoding="utf-8")]
    if what == "in-process":
        in_process(work, queries, int(sys.argv[4]))
    else:
        commands(work, queries, int(sys.argv[4]), os.path.abspath(sys.argv[5]))


if __name__ == "__main__":
    main()

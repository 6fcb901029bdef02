"""A small service: takes JSON documents over HTTP, and keeps them in a database (python3's http.server, json, sqlite3)."""

import http.server
import json
import sqlite3
import sys


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        base = sqlite3.connect("readings.db", timeout=30)
        base.execute("PRAGMA synchronous = NORMAL")
        with base:
            base.execute("INSERT INTO readings VALUES (?, ?, ?)",
                         (document["sensor"], document["at"], sum(document["values"])))
            best = base.execute("SELECT count(*), max(total) FROM readings WHERE sensor = ?",
                                (document["sensor"],)).fetchone()
        base.close()
        answer = json.dumps({"count": best[0], "most": best[1]}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format, *args):
        with open("service.log", "a") as log:
            log.write(format % args + "\n")


def main():
    base = sqlite3.connect("readings.db")
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("CREATE TABLE readings (sensor TEXT, at INTEGER, total INTEGER)")
    base.execute("CREATE INDEX by_sensor ON readings (sensor, total)")
    base.close()
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()


main()

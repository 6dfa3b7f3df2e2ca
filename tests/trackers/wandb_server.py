"""As much of W&B's server as a run needs: what it keeps of each run's history, summary and settings, and which files came."""

from __future__ import annotations

import gzip
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """A server on this machine, in threads of this process. A context manager."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.runs: dict[str, dict[str, Any]] = {}
        self.files: list[str] = []
        self.artifacts: list[dict[str, Any]] = []

    def __enter__(self) -> Server:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def stream(self, name: str, files: dict[str, Any]) -> None:
        """Takes lines of a run's files, from an offset on."""
        run = self.runs[name]
        for file, chunk in files.items():
            lines = [json.loads(line) for line in chunk["content"]] if file.endswith((".json", ".jsonl")) else []
            if file == "wandb-history.jsonl":
                run["history"][chunk["offset"] :] = lines
            elif file == "wandb-summary.json":
                run["summary"] |= lines[-1]

    def ask(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """Answers a query or a mutation, by its name."""
        upload = {"uploadUrl": f"{self.address}/up", "uploadHeaders": []}
        project = {"id": "p", "name": given.get("project"), "entity": {"id": "e", "name": "me"}}
        match name:
            case "Viewer":
                return {"viewer": {"id": "u", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}}
            case "UpsertBucket":
                run = self.runs.setdefault(given["name"], {"history": [], "summary": {}, "config": "{}"})
                run |= {key: given[key] for key in ("config", "displayName", "groupName") if given.get(key)}
                told = {"id": given["name"], "name": given["name"], "config": run["config"], "project": project}
                return {"upsertBucket": {"bucket": told | {"displayName": run.get("displayName")}, "inserted": True}}
            case "RunResumeStatus" if given["name"] in self.runs:
                return {"model": project | {"bucket": self.bucket(given["name"])}}
            case "CreateRunFiles":
                files = [{"name": file} | upload for file in given["files"]]
                return {"createRunFiles": {"runID": "r", "uploadHeaders": [], "files": files}}
            case "CreateArtifact":
                self.artifacts.append(given["input"])
                sequence = {"id": "s", "latestArtifact": None}
                told = {"id": "a", "state": "PENDING", "aliases": [], "artifactSequence": sequence}
                return {"createArtifact": {"artifact": told | {"digest": given["input"]["digest"]}}}
            case "CreateArtifactManifest":
                return {"createArtifactManifest": {"artifactManifest": {"id": "m", "file": {"id": "f"} | upload}}}
            case "CreateArtifactFiles":
                named = [{"name": one["name"], "displayName": one["name"]} for one in given["input"]["artifactFiles"]]
                beside = {"id": "f", "storagePath": "x", "uploadMultipartUrls": None, "artifact": {"id": "a"}}
                return {"createArtifactFiles": {"files": {"edges": [{"node": one | upload | beside} for one in named]}}}
            case "CommitArtifact":
                return {"commitArtifact": {"artifact": {"id": "a", "digest": "d"}}}
            case "ServerFeaturesQuery":
                return {"serverInfo": {"features": []}}
        return {"model": None, "project": None}

    def bucket(self, name: str) -> dict[str, Any]:
        """What a client that goes on with a run is told of it."""
        run = self.runs[name]
        last = json.dumps([json.dumps(row) for row in run["history"][-1:]])
        lines = {"historyLineCount": len(run["history"]), "eventsLineCount": 0, "logLineCount": 0}
        tails = {"historyTail": last, "eventsTail": "[]", "tags": [], "wandbConfig": '{"t": 1}'}
        told = {"summaryMetrics": json.dumps(run["summary"]), "config": run["config"]}
        return {"id": name, "name": name, "displayName": run.get("displayName"), **lines, **tails, **told}


class Asked(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_PUT(self) -> None:
        self.server.files.append(self.path)
        self.body()
        self.answer({})

    def do_POST(self) -> None:
        content = self.body()
        if self.path.endswith("/graphql"):
            asked = json.loads(content)
            name = asked.get("operationName") or re.findall(r"(?:query|mutation)\s+(\w+)", asked["query"])[0]
            self.answer({"data": self.server.ask(name, asked.get("variables") or {})})
        elif streamed := re.search(r"/([^/]+)/file_stream$", self.path):
            self.server.stream(streamed[1], json.loads(content).get("files") or {})
            self.answer({"exitcode": None, "limits": {}})
        else:  # how W&B itself is doing
            self.answer({})

    def body(self) -> bytes:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content

    def answer(self, what: dict[str, Any]) -> None:
        content = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

"""Runs deploy/drain, the end of a deploy, against a Lambda and a CloudFront that answer as scripted here."""

import http.server
import json
import os
import subprocess
import sys
import threading

import machine
from machine import ENVIRONMENT, ROOT, Failed

ANSWER = {
    "received": 3, "deleted": 3, "kept": 0,
    "invalidations": [{"distribution": "E1EXAMPLE", "id": "I2", "items": ["/docs/*", "/index.html"]}],
}
NAMESPACE = 'xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"'


class Aws(http.server.BaseHTTPRequestHandler):
    """I1 and I2 of E1EXAMPLE, and I3 of the tenant, are in progress until they are looked at."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, document, *failed = self.server.invocations.pop(0)
        self.answer(status, json.dumps(document), {"X-Amz-Function-Error": "Unhandled"} if failed else {})

    def do_GET(self):
        resource = self.path.partition("?")[0].split("/")
        invalidations = {"E1EXAMPLE": ["I1", "I2"], "dt_1EXAMPLE": ["I3"]}[resource[3]]
        if resource[-1] == "invalidation":
            summaries = "".join(self.summary(id, "InvalidationSummary") for id in invalidations)
            self.answer(200, f"<InvalidationList {NAMESPACE}><Items>{summaries}</Items></InvalidationList>")
        else:
            self.server.completed.append(resource[-1])
            self.answer(200, self.summary(resource[-1], f"Invalidation {NAMESPACE}"))

    def summary(self, id, element):
        status = "Completed" if id in self.server.completed else "InProgress"
        return f"<{element}><Id>{id}</Id><Status>{status}</Status></{element.split()[0]}>"

    def answer(self, status, body, headers={}):
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


BUSY = (429, {"Type": "User", "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
              "message": "Rate Exceeded.", "__type": "TooManyRequestsException"})

CASES = [
    ("a drain", [(200, ANSWER)], 0, ["received 3", "E1EXAMPLE I2 /docs/* /index.html", "waiting for I1 of E1EXAMPLE",
                                     "waiting for I3 of dt_1EXAMPLE"]),
    ("a drain while another runs", [BUSY, BUSY, (200, ANSWER | {"received": 0})], 0, ["received 0", "waiting for I1"]),
    ("another runs for too long", [BUSY] * 3, 1, ["TooManyRequestsException"]),
    ("a failed drain", [(200, {"errorType": "NotDrained", "errorMessage": "cannot drain: no queue"}, True)], 1,
     ["the drain failed", "no queue"]),
    ("kept messages", [(200, ANSWER | {"deleted": 2, "kept": 1})], 1, ["waiting for I2", "1 messages stay in the queue"]),
    ("a dry run", [(200, ANSWER | {"invalidations": [{"distribution": "E1EXAMPLE", "items": ["/a"]}], "dry_run": True})], 0,
     ["E1EXAMPLE - /a"]),
    ("no function", [(404, {"message": "Function not found"})], 1, ["Function not found"]),
]


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Aws)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    environment = ENVIRONMENT | {"AWS_ENDPOINT_URL": endpoint, "DRAIN_PAUSE": "0", "DRAIN_TRIES": "3"}
    for name, invocations, code, expected in CASES:
        server.invocations, server.completed = list(invocations), []
        command = ["deploy/drain", "s3-cloudfront-invalidator", "E1EXAMPLE", "dt_1EXAMPLE"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
        output = done.stdout + done.stderr
        missing = [text for text in expected if text not in output]
        if done.returncode != code or missing or server.invocations:
            raise Failed(f"deploy/drain: {name}: exit code {done.returncode}, without {missing}:\n{output}")
        print(f"  {name}: exit code {code}")
    server.shutdown()
    print("deploy/drain: ok")


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))

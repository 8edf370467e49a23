"""A client of the Notipy protocol on Python's standard library, driven by lines.

Reads a JSON array [name, arguments...] from each line of standard input and answers
each with a line: {"value": ...} or {"error": "<status>"}. Arguments of the program:
the URL of the server. It speaks as python-requests does: a connection for each
request, credentials with the first one, JSON in ASCII, dates parsed strictly.
"""

import base64
import datetime
import json
import sys
import urllib.error
import urllib.request

ENDPOINT = sys.argv[1] + "/api/v1/notification"


def ask(account, body=None):
    token = base64.b64encode(":".join(account).encode()).decode()
    headers = {
        "User-Agent": "python-requests/2.32.3",
        "Accept-Encoding": "gzip, deflate",
        "Accept": "*/*",
        "Authorization": "Basic " + token,
    }
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(ENDPOINT, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        if answer.status != 200:
            raise ValueError(str(answer.status))
        return json.load(answer)


def publish(account, message, category):
    counts = ask(account, {"message": message, "category": category})
    return {"passed": counts["success"], "failed": counts["fail"], "total": counts["total"]}


def poll(account):
    messages = ask(account)
    for message in messages:
        datetime.datetime.strptime(message["created"], "%Y-%m-%dT%H:%M:%S")
        message["body"][:20]
    return messages


def confirm(account):
    """The same request as a poll; its answer is not looked at."""
    ask(account)


FUNCTIONS = {"publish": publish, "poll": poll, "confirm": confirm}

for line in sys.stdin:
    name, *arguments = json.loads(line)
    try:
        reply = {"value": FUNCTIONS[name](*arguments)}
    except urllib.error.HTTPError as error:
        reply = {"error": str(error.code)}
    except Exception as error:
        reply = {"error": repr(error)}
    print(json.dumps(reply), flush=True)

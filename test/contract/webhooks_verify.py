"""Verifies what it reads with the reference library of Standard Webhooks, and signs it again.

In: a JSON array of {"secret", "headers", "body"}. Out: a JSON array of {"payload", "signature"}, or {"error"}.
"""

import json
import sys
from datetime import datetime, timezone

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

answers = []
for call in json.load(sys.stdin):
    webhook = Webhook(call["secret"])
    headers = call["headers"]
    try:
        payload = webhook.verify(call["body"], headers)
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=timezone.utc)
        signature = webhook.sign(headers["webhook-id"], at, call["body"])
        answers.append({"payload": payload, "signature": signature})
    except WebhookVerificationError as error:
        answers.append({"error": str(error)})
json.dump(answers, sys.stdout)

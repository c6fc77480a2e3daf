"""Calls a batch endpoint as callers of azure-ai-ml do. Prints a line of JSON for each call: the job that came back, or the error.

Arguments: the endpoint, then a file with a JSON list of calls, each {"type", "path"} and, where it is wanted, "deployment" and
"params". A call that is "list" lists the jobs.
"""

import json
import sys
import time
import warnings

warnings.simplefilter("ignore")

from azure.ai.ml import Input, MLClient  # noqa: E402
from azure.core.credentials import AccessToken  # noqa: E402


class Credential:
    """A token for the endpoint, which Azure's batch endpoints take in place of a key."""

    def get_token(self, *scopes, **kwargs):
        return AccessToken("the-primary-key-of-the-contract", int(time.time()) + 3600)


client = MLClient(Credential(), "00000000-0000-0000-0000-000000000000", "group", "workspace")
endpoint, calls = sys.argv[1:]
with open(calls, encoding="utf-8") as opened:
    calls = json.load(opened)
for call in calls:
    try:
        if call == "list":
            jobs = client.batch_endpoints.list_jobs(endpoint)
            print(json.dumps({"jobs": [{"id": job.id, "name": job.name, "status": job.status} for job in jobs]}), flush=True)
            continue
        job = client.batch_endpoints.invoke(
            endpoint,
            deployment_name=call.get("deployment"),
            input=Input(type=call["type"], path=call["path"]),
            params_override=[{name: value} for name, value in call.get("params", {}).items()],
        )
        print(json.dumps({"id": job.id, "name": job.name, "status": job.status}), flush=True)
    except Exception as error:
        status = getattr(error, "status_code", None)
        print(json.dumps({"error": type(error).__name__, "status": status, "message": str(error)}), flush=True)

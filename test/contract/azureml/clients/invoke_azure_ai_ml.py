"""Calls an online endpoint as callers of azure-ai-ml do. Prints a line of JSON for each call: what came back, or the error.

Arguments: the endpoint, then for each call a file with the request and, after "@", the deployment or nothing.
"""

import json
import sys
import time
import warnings

warnings.simplefilter("ignore")

from azure.ai.ml import MLClient  # noqa: E402
from azure.core.credentials import AccessToken  # noqa: E402


class Credential:
    """A token that nobody looks at: Azure Resource Manager is an imitation."""

    def get_token(self, *scopes, **kwargs):
        return AccessToken("token-of-the-contract-test", int(time.time()) + 3600)


client = MLClient(Credential(), "00000000-0000-0000-0000-000000000000", "group", "workspace")
endpoint, *calls = sys.argv[1:]
for call in calls:
    file, _, deployment = call.partition("@")
    try:
        text = client.online_endpoints.invoke(endpoint, request_file=file, deployment_name=deployment or None)
        print(json.dumps({"text": text}), flush=True)
    except Exception as error:
        status = getattr(error, "status_code", None)
        print(json.dumps({"error": type(error).__name__, "status": status, "message": str(error)}), flush=True)

"""Calls an online endpoint as callers of azureml-mlflow's deployment client do. Prints a line of JSON for each call.

Arguments: the endpoint, then for each call a file with pandas' split JSON and, after "@", the deployment or nothing.
MLFLOW_TRACKING_URI names the workspace at the imitation of Azure Resource Manager.
"""

import json
import os
import sys
import time
import warnings

warnings.simplefilter("ignore")

import jwt  # noqa: E402
import pandas  # noqa: E402
from mlflow.deployments import get_deploy_client  # noqa: E402

# As inside a run of AzureML: a token that nobody looks at, since Azure Resource Manager is an imitation.
os.environ["MLFLOW_TRACKING_TOKEN"] = jwt.encode({"exp": time.time() + 3600}, "contract-test" * 4, algorithm="HS256")
os.environ["MLFLOW_RUN_ID"] = "run"
os.environ["MLFLOW_EXPERIMENT_ID"] = "0"

client = get_deploy_client(os.environ["MLFLOW_TRACKING_URI"])
endpoint, *calls = sys.argv[1:]
for call in calls:
    file, _, deployment = call.partition("@")
    with open(file, encoding="utf-8") as opened:
        frame = pandas.DataFrame(**json.load(opened))
    try:
        predicted = client.predict(deployment_name=deployment or None, df=frame, endpoint=endpoint)
        print(json.dumps({"kind": type(predicted).__name__, "rows": predicted.to_dict(orient="records")}), flush=True)
    except Exception as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}), flush=True)

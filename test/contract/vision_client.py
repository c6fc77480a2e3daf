"""Calls Microsoft's client for Image Analysis as its documentation shows it, and prints what it gives.

Standard input: {"endpoint": ..., "calls": [{"file" | "url": ..., "features": [...], "options": {...}, "token": ...}]}.
Standard output: a JSON list with a result or an error for each call.
"""

import json
import sys
import time

from azure.ai.vision.imageanalysis import ImageAnalysisClient
from azure.ai.vision.imageanalysis.models import VisualFeatures
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import HttpResponseError


class FixedToken:
    """A credential with a token, as azure-identity gives one."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **_):
        assert scopes == ("https://cognitiveservices.azure.com/.default",), scopes
        return AccessToken(self.token, int(time.time()) + 3600)


def call(endpoint, file=None, url=None, features=("CAPTION",), options=None, token=None):
    visual_features = [VisualFeatures[feature] for feature in features]
    credential = AzureKeyCredential("any") if token is None else FixedToken(token)
    # Without it the client gives a token to https alone.
    options = {**(options or {}), **({} if token is None else {"enforce_https": False})}
    client = ImageAnalysisClient(endpoint=endpoint, credential=credential, retry_total=0)
    try:
        if url is not None:
            result = client.analyze_from_url(url, visual_features, **options)
        else:
            with open(file, "rb") as image:
                result = client.analyze(image.read(), visual_features, **options)
    except HttpResponseError as error:
        return {
            "error": type(error).__name__,
            "status": error.status_code,
            "code": error.error.code if error.error else None,
            "innererror": (error.error.innererror or {}).get("code") if error.error else None,
            "message": error.message,
        }
    return {
        "text": result.caption.text,
        "confidence": result.caption.confidence,
        "modelVersion": result.model_version,
        "width": result.metadata.width,
        "height": result.metadata.height,
        "denseCaptions": result.dense_captions,
    }


request = json.load(sys.stdin)
print(json.dumps([call(request["endpoint"], **arguments) for arguments in request["calls"]]))

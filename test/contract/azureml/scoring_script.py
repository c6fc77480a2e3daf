"""What the reference server scores with: the protocol of the registry's BLIP models, without the model.

The server of azureml-inference-server-http runs this file. It takes and refuses the same input as the scoring script and
the predictor that the registry ships, and answers captions from a table (CONTRACT_TABLE, a JSON file: for each sha256 of an
image's bytes its caption, and its answers by question), so that what is compared is the protocol.

CONTRACT_COLUMNS: the columns of the model's signature, "image" or "image,text".
CONTRACT_DELAY_MS: how long a forward pass takes, for the scoring timeout.
"""

import base64
import hashlib
import io
import json
import os
import re
import time

import pandas
import requests
from inference_schema.parameter_types.abstract_parameter_type import AbstractParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.schema_decorators import input_schema, output_schema
from PIL import Image

COLUMNS = os.environ.get("CONTRACT_COLUMNS", "image").split(",")
DELAY_SECONDS = int(os.environ.get("CONTRACT_DELAY_MS", "0")) / 1000
URL = re.compile(
    r"((http|https)://)(www.)?[a-zA-Z0-9@:%._\+~#?&//=\-]{2,256}\.[a-z]{2,6}\b([-a-zA-Z0-9@:%._\+~#?&//=]*)"
)


def typed_frame(*columns):
    """An empty frame; what it knows are the columns and that they hold objects."""
    return pandas.DataFrame(columns=list(columns)).astype(object)


class Anything(AbstractParameterType):
    """A parameter without a sample: it passes as it came."""

    def __init__(self):
        super().__init__(None)

    def deserialize_input(self, input_data):
        return input_data

    def input_to_swagger(self):
        return {"type": "object", "example": {}}


def init():
    global table
    with open(os.environ["CONTRACT_TABLE"], encoding="utf-8") as file:
        table = json.load(file)


@input_schema("input_data", PandasParameterType(typed_frame(*COLUMNS), enforce_shape=False, orient="split"))
@input_schema("params", Anything(), optional=True)
@output_schema(PandasParameterType(typed_frame("text"), enforce_shape=False, orient="records"))
def run(input_data, params=None):
    missing = [column for column in COLUMNS if column not in input_data.columns]
    if missing:
        raise ValueError(f"the signature asks for {missing}")
    images = [read_image(cell) for cell in input_data["image"]]
    time.sleep(DELAY_SECONDS)
    if not images:
        raise IndexError("the image processor looks at the first image, and there is none")
    if "text" in COLUMNS:
        texts = [table[sha256]["answers"][question] for sha256, question in zip(images, input_data["text"])]
    else:
        texts = [table[sha256]["caption"] for sha256 in images]
    return pandas.DataFrame({"text": texts}).to_dict(orient="records")


def read_image(cell):
    """The sha256 of an image's bytes, once they were decoded as the image processor would."""
    if not isinstance(cell, str):
        raise ValueError(f"a {type(cell)} is no image")
    if URL.search(cell):
        response = requests.get(cell, timeout=10)
        response.raise_for_status()
        content = response.content
    else:
        content = base64.b64decode(cell)
    Image.open(io.BytesIO(content)).convert("RGB")
    return hashlib.sha256(content).hexdigest()

"""Another engine on the same checkpoint, images and token counts: a process that peers.ts starts and asks.

    python peer.py KIND THREADS CHECKPOINT SCRATCH

KIND is transformers (torch, fp32), export (ONNX Runtime on a plain torch export, no cache) or openvino (the vision tower
alone). Questions and answers are lines of JSON on standard input and output.
"""

import io
import json
import os
import sys
import time

kind, threads, checkpoint, scratch = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
os.environ["OMP_NUM_THREADS"] = str(threads)

import numpy as np
import torch
from PIL import Image
from transformers import BlipForConditionalGeneration
from transformers import logging as transformers_logging
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

transformers_logging.set_verbosity_error()
torch.set_num_threads(threads)
torch.set_grad_enabled(False)
processor = BlipImageProcessorPil.from_pretrained(checkpoint)


def pixel_values(paths):
    images = [Image.open(io.BytesIO(open(path, "rb").read())).convert("RGB") for path in paths]
    return processor(images=images, return_tensors="pt")["pixel_values"]


def batches(paths, size):
    return [paths[start : start + size] for start in range(0, len(paths), size)]


class Transformers:
    def __init__(self):
        self.model = BlipForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()

    def caption(self, paths, batch, beams, tokens):
        found = []
        for part in batches(paths, batch):
            answer = self.model.generate(
                pixel_values(part), num_beams=beams, min_new_tokens=tokens, max_new_tokens=tokens
            )
            found += answer.tolist()
        return found


class PlainExport:
    """What an exporter gives: the tower, and the decoder that reads the whole sequence again for each token."""

    def __init__(self):
        import onnxruntime

        model = BlipForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()
        self.bos, self.sep = model.decoder_input_ids, model.config.text_config.sep_token_id

        class Tower(torch.nn.Module):
            def __init__(self, vision):
                super().__init__()
                self.vision = vision

            def forward(self, pixels):
                return self.vision(pixel_values=pixels).last_hidden_state

        class Decoder(torch.nn.Module):
            def __init__(self, text):
                super().__init__()
                self.text = text

            def forward(self, ids, states):
                return self.text(input_ids=ids, encoder_hidden_states=states, use_cache=False).logits[:, -1]

        side = processor.size["height"]
        files = [os.path.join(scratch, name) for name in ("export-tower.onnx", "export-decoder.onnx")]
        if not os.path.exists(files[1]):
            image = torch.zeros(2, 3, side, side)
            tower, decoder = Tower(model.vision_model).eval(), Decoder(model.text_decoder).eval()
            batch = torch.export.Dim("batch", min=1, max=64)
            torch.onnx.export(tower, (image,), files[0], dynamo=True, verbose=False, dynamic_shapes=({0: batch},))
            length = torch.export.Dim("length", min=2, max=64)
            ids = torch.full((2, 3), self.bos)
            shapes = ({0: batch, 1: length}, {0: batch})
            torch.onnx.export(decoder, (ids, tower(image)), files[1], dynamo=True, verbose=False, dynamic_shapes=shapes)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.tower, self.decoder = [onnxruntime.InferenceSession(file, options) for file in files]

    def caption(self, paths, batch, beams, tokens):
        if beams != 1:
            raise ValueError("a plain export has no beam search")
        found = []
        for part in batches(paths, batch):
            states = self.tower.run(None, {self.tower.get_inputs()[0].name: pixel_values(part).numpy()})[0]
            names = [port.name for port in self.decoder.get_inputs()]
            # Two tokens at least: the exporter specialises on one.
            ids = np.full((len(part), 1), self.bos, np.int64)
            for _ in range(tokens):
                doubled = ids if ids.shape[1] > 1 else np.concatenate([ids, ids], 1)
                logits = self.decoder.run(None, dict(zip(names, (doubled, states))))[0]
                logits[:, self.sep] = -np.inf
                ids = np.concatenate([ids, logits.argmax(-1)[:, None]], 1)
            found += ids.tolist()
        return found


class OpenVino:
    """The vision tower alone, fp32 and as NNCF makes it int8 (SmoothQuant, activations calibrated on four images of noise)."""

    def __init__(self):
        import nncf
        import openvino

        files = {variant: os.path.join(scratch, f"openvino-{variant}.xml") for variant in ("fp32", "int8")}
        core = openvino.Core()
        side = processor.size["height"]
        if not all(os.path.exists(file) for file in files.values()):
            model = BlipForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()
            example = {"pixel_values": torch.zeros(1, 3, side, side)}
            shape = [("pixel_values", [1, 3, side, side])]
            converted = openvino.convert_model(model.vision_model, example_input=example, input=shape)
            openvino.save_model(converted, files["fp32"], compress_to_fp16=False)
            noise = [np.random.default_rng(seed).normal(size=(1, 3, side, side)).astype(np.float32) for seed in range(4)]
            transformer = nncf.ModelType.TRANSFORMER
            quantized = nncf.quantize(converted, nncf.Dataset(noise), model_type=transformer, subset_size=4)
            openvino.save_model(quantized, files["int8"])
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self.requests = {
            variant: core.compile_model(file, "CPU", settings).create_infer_request() for variant, file in files.items()
        }

    def encode(self, path, variant):
        pixels = pixel_values([path]).numpy()
        started = time.perf_counter()
        self.requests[variant].infer([pixels])
        return time.perf_counter() - started


peer = {"transformers": Transformers, "export": PlainExport, "openvino": OpenVino}[kind]()


def answer(message):
    print(json.dumps(message), flush=True)


answer({"ready": True})
for line in sys.stdin:
    asked = json.loads(line)
    if "encode" in asked:
        answer({"seconds": peer.encode(asked["paths"][0], asked["encode"])})
        continue
    started = time.perf_counter()
    tokens = peer.caption(asked["paths"], asked["batch"], asked["beams"], asked["tokens"])
    answer({"seconds": time.perf_counter() - started, "tokens": tokens})

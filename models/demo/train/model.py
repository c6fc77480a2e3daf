"""The demo model: Hugging Face's captioner, matcher and answerer over one set of weights, shared as BLIP's MED shares them.

The answerer adds no weights: the matcher's encoder reads the question, the captioner's decoder says the answer.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipForImageTextRetrieval,
    BlipForQuestionAnswering,
)
from transformers import logging as transformers_logging
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

import scenes

SIDE, PATCH = 64, 8
WIDTH, HEADS, VISION_LAYERS, TEXT_LAYERS = 128, 4, 6, 3
PIECES = scenes.vocabulary()
PAD, CLS, SEP = (PIECES.index(piece) for piece in ("[PAD]", "[CLS]", "[SEP]"))
# As in Salesforce's checkpoints, the tokenizer does not know [DEC] and [ENC]: their ids follow its last piece.
DEC = len(PIECES)
PIECE_IDS = {piece: index for index, piece in enumerate(PIECES)}

image_processor = BlipImageProcessorPil(size={"height": SIDE, "width": SIDE})
PIXEL_MEAN = torch.tensor(image_processor.image_mean).view(3, 1, 1)
PIXEL_DEVIATION = torch.tensor(image_processor.image_std).view(3, 1, 1)


def configuration() -> BlipConfig:
    text = dict(
        vocab_size=len(PIECES) + 2,
        hidden_size=WIDTH,
        encoder_hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=TEXT_LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=64,
        hidden_act="gelu",
        layer_norm_eps=1e-12,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        bos_token_id=DEC,
        eos_token_id=SEP,
        sep_token_id=SEP,
        pad_token_id=PAD,
        is_decoder=True,
        use_cache=True,
    )
    vision = dict(
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=VISION_LAYERS,
        num_attention_heads=HEADS,
        image_size=SIDE,
        patch_size=PATCH,
        hidden_act="gelu",
        layer_norm_eps=1e-5,
        initializer_range=0.02,
    )
    config = BlipConfig(text_config=text, vision_config=vision, projection_dim=WIDTH, image_text_hidden_size=64)
    config.architectures = ["BlipForConditionalGeneration", "BlipForImageTextRetrieval", "BlipForQuestionAnswering"]
    return config


class DemoModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.captioner = BlipForConditionalGeneration(configuration())
        self.matcher = BlipForImageTextRetrieval(configuration())
        self.matcher.vision_model = self.captioner.vision_model
        decoder, encoder = self.captioner.text_decoder.bert, self.matcher.text_encoder
        encoder.embeddings = decoder.embeddings
        for from_decoder, from_encoder in zip(decoder.encoder.layer, encoder.encoder.layer):
            from_encoder.crossattention = from_decoder.crossattention
            from_encoder.intermediate = from_decoder.intermediate
            from_encoder.output = from_decoder.output
        self.captioner.tie_weights()

    def start_encoder_from_decoder(self) -> None:
        """Reading begins from what speaking learnt: only self-attention is not shared already."""
        decoder, encoder = self.captioner.text_decoder.bert.encoder, self.matcher.text_encoder.encoder
        for from_decoder, from_encoder in zip(decoder.layer, encoder.layer):
            from_encoder.attention.load_state_dict(from_decoder.attention.state_dict())

    def see(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.captioner.vision_model(pixel_values=pixels).last_hidden_state

    def next_piece_logits(self, states: torch.Tensor, pieces: torch.Tensor, questions: torch.Tensor | None = None) -> torch.Tensor:
        """Of an image's states, or of the states that a question was read to: then `questions` are its pieces."""
        decoder = self.captioner.text_decoder
        attended = torch.ones(states.shape[:2], dtype=torch.long) if questions is None else (questions != PAD).long()
        return decoder(
            input_ids=pieces,
            attention_mask=(pieces != PAD).long(),
            encoder_hidden_states=states,
            encoder_attention_mask=attended,
            use_cache=False,
        ).logits

    def read(self, pieces: torch.Tensor, image_states: torch.Tensor | None = None) -> torch.Tensor:
        seen = {}
        if image_states is not None:
            attended = torch.ones(image_states.shape[:2], dtype=torch.long)
            seen = dict(encoder_hidden_states=image_states, encoder_attention_mask=attended)
        return self.matcher.text_encoder(input_ids=pieces, attention_mask=(pieces != PAD).long(), **seen).last_hidden_state


def to_pieces(texts: list[str], first: int) -> torch.Tensor:
    """Every word of the domain is one piece, so training needs no tokenizer. A missing word is a mistake here."""
    rows = [[first, *(PIECE_IDS[word] for word in text.replace("?", " ?").split()), SEP] for text in texts]
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])


def normalised(bytes_chw: torch.Tensor) -> torch.Tensor:
    return (bytes_chw.float() / 255 - PIXEL_MEAN) / PIXEL_DEVIATION


def save_checkpoint(model: DemoModel, folder: Path) -> None:
    """One file that all three Hugging Face classes load, each reporting as unexpected what it has no use for."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = model.captioner.state_dict() | model.matcher.state_dict()
    weights = {
        name: tensor.detach().to(torch.float16).clone().contiguous()
        for name, tensor in sorted(weights.items())
        # Tied to the word embeddings and to cls.predictions.bias.
        if not name.startswith("text_decoder.cls.predictions.decoder.")
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = configuration()
    # Stored in half precision for its size, meant to run in single.
    config.dtype = torch.float32
    config.save_pretrained(folder)
    image_processor.save_pretrained(folder)
    vocabulary_file = folder / "vocab.txt"
    vocabulary_file.write_text("\n".join(PIECES) + "\n")
    BertTokenizer(str(vocabulary_file), do_lower_case=True, model_max_length=64).save_pretrained(folder)
    vocabulary_file.unlink(missing_ok=True)


def continue_from(model: DemoModel, folder: Path) -> None:
    """Takes a checkpoint's weights. Pieces that its vocabulary lacks keep the values they start with."""
    theirs = BertTokenizer.from_pretrained(folder).get_vocab()
    both = {piece: index for piece, index in theirs.items() if piece in PIECE_IDS}
    to = torch.tensor([*(PIECE_IDS[piece] for piece in both), DEC, DEC + 1])
    of = torch.tensor([*both.values(), len(theirs), len(theirs) + 1])
    weights = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
    for part in (model.captioner, model.matcher):
        own = part.state_dict()
        for name in own.keys() & weights.keys():
            if own[name].shape == weights[name].shape:
                own[name].copy_(weights[name])
            else:
                own[name][to] = weights[name][of]


@dataclass(frozen=True)
class Loaded:
    captioner: BlipForConditionalGeneration
    matcher: BlipForImageTextRetrieval
    answerer: BlipForQuestionAnswering
    tokenizer: BertTokenizer


def load_checkpoint(folder: Path) -> Loaded:
    # Each class reports the others' weights as unexpected; here they are expected.
    transformers_logging.set_verbosity_error()
    return Loaded(
        BlipForConditionalGeneration.from_pretrained(folder).eval(),
        BlipForImageTextRetrieval.from_pretrained(folder).eval(),
        BlipForQuestionAnswering.from_pretrained(folder).eval(),
        BertTokenizer.from_pretrained(folder),
    )

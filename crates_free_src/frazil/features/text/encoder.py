"""Sentence encoders as ONNX files, run by onnxruntime: a text to one vector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from frazil.errors import SourceError
from frazil.extras import load
from frazil.features.text.vectors import EXTRA, TOKENIZER, digest, plain_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ENCODER = "model.onnx"
WHOLE = "sentence_embedding"  # the output that is pooled already, as exporters call it
AT_ONCE = 32  # texts, of about one length
MOST_TOKENS = 256  # of a text


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """A model that is ready to run.

    Args:
        session: Of onnxruntime.
        tokenizer: Cuts texts into its tokens.
    """

    session: Any
    tokenizer: Any

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (texts, dimensions) vectors: the model's own, or the mean over the tokens of each text."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        starts = range(0, len(texts), AT_ONCE)
        parts = [self._encoded([texts[at] for at in order[start : start + AT_ONCE]]) for start in starts]
        together = np.concatenate(parts) if parts else np.empty((0, self._encoded([""]).shape[1]), np.float32)
        found = np.empty_like(together)
        found[order] = together
        return found

    def _encoded(self, texts: list[str]) -> NDArray[np.float32]:
        cut = self.tokenizer.encode_batch(texts)
        width = max(1, *(len(each.ids) for each in cut))
        known = {name: np.zeros((len(cut), width), np.int64) for name in ("input_ids", "attention_mask")}
        for row, each in enumerate(cut):
            known["input_ids"][row, : len(each.ids)] = each.ids
            known["attention_mask"][row, : len(each.ids)] = 1
        known["token_type_ids"] = np.zeros_like(known["input_ids"])
        outputs = [output.name for output in self.session.get_outputs()]
        wanted = WHOLE if WHOLE in outputs else outputs[0]
        (out,) = self.session.run([wanted], {each.name: known[each.name] for each in self.session.get_inputs()})
        if out.ndim == 3:
            mask = known["attention_mask"][:, :, None]
            out = (out * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
        return np.asarray(out, np.float32)


@lru_cache(maxsize=2)  # loading takes seconds, and states are applied batch by batch
def open_encoder(folder: str, expected: str) -> Encoder:
    """Load the encoder of a folder, which holds `model.onnx` and `tokenizer.json`.

    Args:
        folder: Where it lies.
        expected: The digest of its files.

    Raises: SourceError: a file is missing or no model, or the files are not those that the digest is of.
    """
    found = digest(files_of(Path(folder)))
    if found != expected:
        raise SourceError(
            f"the model in {folder!r} is not the one that the recipe was fitted with: its digest is {found[:12]}, not"
            f" {expected[:12]}. Put back the files that it had, or fit the recipe again."
        )
    runtime = load("onnxruntime", extra=EXTRA)
    try:
        text = (Path(folder) / TOKENIZER).read_text(encoding="utf-8")
        tokenizer, _ = plain_tokenizer(text, MOST_TOKENS)
        session = runtime.InferenceSession(str(Path(folder) / ENCODER), providers=["CPUExecutionProvider"])
    except (OSError, ValueError) as error:
        raise SourceError(f"{folder!r} has no sentence encoder: {error}") from error
    except Exception as error:  # onnxruntime raises nothing narrower
        raise SourceError(f"{ENCODER} in {folder!r} is no model that onnxruntime reads: {error}") from error
    strange = {each.name for each in session.get_inputs()} - {"input_ids", "attention_mask", "token_type_ids"}
    if strange:
        raise SourceError(f"{ENCODER} in {folder!r} takes {min(strange)!r}, which is nothing that a text has.")
    return Encoder(session, tokenizer)


def files_of(folder: Path) -> list[Path]:
    """Return the files of a model's folder, weights beside the model itself included; SourceError: there is none."""
    if not folder.is_dir():
        raise SourceError(f"the model's folder {str(folder)!r} is not there.")
    return [path for path in folder.iterdir() if path.is_file()]

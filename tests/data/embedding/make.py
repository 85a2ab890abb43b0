"""Make the tiny models of this folder: python make.py (needs onnx, tokenizers and model2vec, which no test does)."""

import json
from pathlib import Path

import numpy as np
import onnx
from model2vec import StaticModel
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

HOME = Path(__file__).parent
WORDS = ["[UNK]", "the", "cat", "dog", "sat", "on", "mat", "and", "##s", "a"]
TEXTS = ["the cat sat", "Dogs and cats", "", "the unseen ship"]

rng = np.random.default_rng(0)
vectors = rng.normal(size=(len(WORDS), 4)).round(2).astype(np.float32)
tokenizer = Tokenizer(models.WordPiece({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
tokenizer.normalizer = normalizers.Lowercase()
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()

lines = [f"{word} {' '.join(map(str, row))}" for word, row in zip(WORDS[1:8], vectors[1:8].tolist(), strict=True)]
(HOME / "words.vec").write_text("\n".join([f"{len(lines)} 4", *lines]) + "\n")

weights = rng.uniform(0.5, 2, len(WORDS)).round(2).astype(np.float32)
static = StaticModel(vectors, tokenizer, {"normalize": True}, normalize=True, weights=weights)
static.save_pretrained(HOME / "static")
for extra in ("README.md", "modules.json"):  # which frazil does not read
    (HOME / "static" / extra).unlink(missing_ok=True)
expected = static.encode(TEXTS, use_multiprocessing=False)
(HOME / "static.json").write_text(json.dumps({"texts": TEXTS, "vectors": expected.tolist()}, indent=1) + "\n")

table = numpy_helper.from_array(vectors, "table")
nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
inputs = [helper.make_tensor_value_info(each, TensorProto.INT64, ["texts", "tokens"]) for each in ("input_ids",)]
output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["texts", "tokens", 4])
graph = helper.make_graph(nodes, "tiny", inputs, [output], [table])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
(HOME / "encoder").mkdir(exist_ok=True)
(HOME / "encoder" / "model.onnx").write_bytes(model.SerializeToString())
tokenizer.save(str(HOME / "encoder" / "tokenizer.json"))

"""Weights of local models: types, few bits, GGUF files, what is quantized on disk; and the model that is used where none is named."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

for _library in ("torch", "transformers", "torchao"):
    pytest.importorskip(_library, reason="the extras transformers and weights are not installed")

import torch  # noqa: E402  # after the libraries that may be missing

from dualcode import DualCode  # noqa: E402  # as above
from dualcode.backends import default_model  # noqa: E402  # as above
from dualcode.backends.default_model import DefaultModel  # noqa: E402  # as above
from dualcode.backends.registry import open_backend  # noqa: E402  # as above
from dualcode.backends.transformers_backend import TransformersBackend  # noqa: E402  # as above
from simpy_cli.main import main  # noqa: E402  # as above
from simpy_grammar.errors import BackendError  # noqa: E402  # as above
from tests.evaluated_models import ROOT, save_model  # noqa: E402  # as above

PROMPT = "def add(a, b):\n    return"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small random model of classic."""
    return save_model(str(tmp_path_factory.mktemp("model")))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own for each test, with the compiled tables of the session at hand where they are shipped."""
    monkeypatch.setenv("SIMPY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SIMPY_MODEL", raising=False)


def opened(target: str, **options: Any) -> TransformersBackend:
    """The backend of a model of classic."""
    backend = open_backend(target, dialect="classic", **options)
    assert isinstance(backend, TransformersBackend)
    return backend


def scores(backend: TransformersBackend) -> Any:
    """What a model says after some ids."""
    with torch.inference_mode():
        return backend.model(input_ids=torch.arange(40, 60)[None]).logits.float()


# ---------------------------------------------------------------------------------------------------------------- weights


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_weights_have_the_type_that_was_asked_for(folder: str, name: str) -> None:
    assert str(opened(folder, weights=name).model.dtype) == f"torch.{name}"


@pytest.mark.parametrize(("name", "most"), [("int8", 0.02), ("int4", 0.25)])
def test_linear_layers_are_held_in_few_bits(folder: str, name: str, most: float) -> None:
    whole, backend = opened(folder), opened(folder, weights=name)
    layer = backend.model.model.layers[0].mlp.up_proj
    assert type(layer.weight).__module__.startswith("torchao")
    assert type(backend.model.get_output_embeddings().weight) is torch.nn.Parameter
    apart = (scores(backend) - scores(whole)).norm() / scores(whole).norm()
    assert 0 < apart < most
    assert DualCode(backend, dialect="classic").complete(PROMPT, max_tokens=4).raw_text


def test_four_bits_share_a_scale_in_groups(folder: str) -> None:
    model = opened(folder, weights="int4").model
    assert tuple(model.model.layers[0].mlp.down_proj.weight.block_size) == (1, 32)  # rows of 64
    held = model.model.layers[0].mlp.down_proj.weight.qdata
    assert held.min() >= -8 and held.max() <= 7


def test_what_is_quantized_on_disk_loads_by_itself(folder: str, tmp_path: Path) -> None:
    from recipes.quantizing import save_quantized

    save_quantized(folder, tmp_path / "int8")
    backend = opened(str(tmp_path / "int8"))
    assert type(backend.model.model.layers[0].mlp.up_proj.weight).__module__.startswith("torchao")
    assert DualCode(backend, dialect="classic").complete(PROMPT, max_tokens=4).raw_text
    with pytest.raises(BackendError, match="quantized on disk already, by torchao"):
        open_backend(str(tmp_path / "int8"), weights="int4")


def test_unknown_weights_are_named(folder: str) -> None:
    with pytest.raises(BackendError, match=r"no weights 'int3'\nhint: there are: float32, "):
        open_backend(folder, weights="int3")


@pytest.mark.parametrize(("weights", "library"), [("int8", "torchao"), ("bnb-int4", "bitsandbytes"), ("bnb-int8", "bitsandbytes")])
def test_a_missing_library_is_named(folder: str, weights: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, library)
    with pytest.raises(BackendError, match=f"needs the library {library}") as caught:
        open_backend(folder, weights=weights)
    assert f"[{'weights' if library == 'torchao' else 'bitsandbytes'}]" in caught.value.hint


def hide(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    """Let a library be missing."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None if name == library else find(name, package))


def test_a_quantized_folder_names_the_library_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"quantization_config": {"quant_method": "torchao"}}))
    hide(monkeypatch, "torchao")
    with pytest.raises(BackendError, match="a model that torchao has quantized needs the library torchao"):
        open_backend(str(tmp_path))


def test_bitsandbytes_holds_weights_where_it_is_installed(folder: str) -> None:
    pytest.importorskip("bitsandbytes", reason="the extra bitsandbytes is not installed")
    backend = opened(folder, weights="bnb-int4")
    assert type(backend.model.model.layers[0].mlp.up_proj).__name__ == "Linear4bit"


def test_threads_are_those_that_were_asked_for(folder: str) -> None:
    before = torch.get_num_threads()
    try:
        opened(folder, threads=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


# ------------------------------------------------------------------------------------------------------------------- GGUF


def write_gguf(path: Path) -> None:
    """A small Llama with a vocabulary of bytes, as llama.cpp has it."""
    gguf = pytest.importorskip("gguf", reason="the extra weights is not installed")
    import numpy

    hidden, inner, layers = 32, 64, 1
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    tokens = ["<|endoftext|>", *bytes_to_unicode().values(), "ab"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(layers)
    writer.add_context_length(64)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, *[1] * (len(tokens) - 1)])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    drawn = numpy.random.default_rng(0)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, drawn.normal(0, 0.1, shape).astype(numpy.float32))

    add("token_embd.weight", len(tokens), hidden)
    add("output_norm.weight", hidden)
    add("output.weight", len(tokens), hidden)
    for name, shape in {
        **{f"attn_{part}": (hidden, hidden) for part in ("q", "k", "v", "output")},
        **{"ffn_gate": (inner, hidden), "ffn_up": (inner, hidden), "ffn_down": (hidden, inner)},
        **{"attn_norm": (hidden,), "ffn_norm": (hidden,)},
    }.items():
        add(f"blk.0.{name}.weight", *shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_file_is_a_model(tmp_path: Path) -> None:
    write_gguf(tmp_path / "a.gguf")
    whole: Any = open_backend(str(tmp_path / "a.gguf"), dialect="python")
    assert whole.model.config.hidden_size == 32 and whole.count("x = 1") == 5
    by_folder: Any = open_backend(str(tmp_path), dialect="python", weights="int8")
    assert type(by_folder.model.model.layers[0].mlp.up_proj.weight).__module__.startswith("torchao")
    (tmp_path / "b.gguf").write_bytes(b"")
    with pytest.raises(BackendError, match="holds 2 GGUF files"):
        open_backend(str(tmp_path))
    assert open_backend(str(tmp_path), gguf_file="a.gguf", dialect="python").count("x") == 1
    with pytest.raises(BackendError, match=r"holds no file 'c\.gguf'"):
        open_backend(str(tmp_path), gguf_file="c.gguf")


# ------------------------------------------------------------------------------------------- where no model is named


def test_no_model_is_an_error_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text(PROMPT)
    assert main(["complete", "a.py"]) == 2
    said = capsys.readouterr().err
    assert "no model is named" in said and "docs/first-model.md" in said and "simpy model use FOLDER" in said


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test works in a folder of its own."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def test_a_model_in_use_completes(folder: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.py").write_text(PROMPT)
    assert main(["model", "use"]) == 2
    assert main(["model", "use", "nowhere"]) == 2
    assert "not a model" in capsys.readouterr().err
    assert main(["model", "use", os.path.relpath(folder), "--dialect", "classic", "--weights", "int8"]) == 0
    assert capsys.readouterr().out == f"{os.path.abspath(folder)} (dialect classic, weights int8)\n"
    assert default_model.find() == DefaultModel(os.path.abspath(folder), "classic", "int8")
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr("dualcode.backends.registry.open_backend", lambda target, **options: calls.append(options) or opened_plain(target))
    assert main(["complete", "a.py", "--max-tokens", "3"]) == 0
    assert main(["complete", "a.py", "--max-tokens", "3", "--weights", "int4", "--threads", "2"]) == 0
    assert calls == [
        {"dialect": "classic", "weights": "int8", "threads": 1},
        {"dialect": "classic", "weights": "int4", "threads": 2},
    ]


def opened_plain(target: str) -> TransformersBackend:
    """The model as it is on disk, whatever was asked for."""
    return opened(target)


def test_the_environment_wins_over_the_model_in_use(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default_model.keep(DefaultModel(folder, "classic"))
    monkeypatch.setenv("SIMPY_MODEL", str(tmp_path / "other"))
    assert default_model.find() == DefaultModel(str(tmp_path / "other"))


def test_a_model_that_is_gone_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.py").write_text(PROMPT)
    monkeypatch.setenv("SIMPY_MODEL", str(tmp_path / "gone"))
    assert main(["complete", "a.py"]) == 2
    assert "not there any more" in capsys.readouterr().err


def test_a_damaged_record_is_none(folder: str) -> None:
    default_model.keep(DefaultModel(folder))
    path = Path(default_model.path())
    path.write_bytes(path.read_bytes().replace(b"where", b"there"))
    assert default_model.find() is None


def test_nothing_heavy_is_imported_before_a_model_is_known() -> None:
    Path("a.py").write_text(PROMPT)
    heavy = "{'torch', 'transformers'} & set(sys.modules)"
    code = f"import sys; from simpy_cli.main import main; print(main(['complete', 'a.py']), {heavy})"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == "2 set()\n"


@pytest.mark.parametrize("option", [["--weights", "int8"], ["--threads", "2"]])
def test_servers_hold_their_own_weights(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text(PROMPT)
    assert main(["complete", "a.py", "--model", "http://127.0.0.1:9/v1", *option]) == 2
    assert f"{option[0]} is for a local model" in capsys.readouterr().err


def test_options_of_the_other_action_are_refused(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "report", folder]) == 2
    assert "report needs --data" in capsys.readouterr().err
    assert main(["model", "report", folder, "--data", ".", "--weights", "int8"]) == 2
    assert main(["model", "use", folder, "--data", "."]) == 2
    assert main(["model", "use", folder, folder]) == 2

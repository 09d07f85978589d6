"""The recipes, in small: what they read, that a killed run goes on to the same weights, what they write, and what they measure."""

from __future__ import annotations

import json
import logging
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")
transformers = pytest.importorskip("transformers", reason="the extra train is not installed")
for _library in ("accelerate", "peft", "torchao", "datasets"):
    pytest.importorskip(_library, reason="the extra train is not installed")

from benchmarks import learning, students  # noqa: E402  # after the libraries that may be missing
from dualcode.backends import default_model, few_bits  # noqa: E402  # as above
from recipes import continued, from_scratch, lora, shrink, training  # noqa: E402  # as above
from recipes.bases import open_base, open_tokenizer, small_llama  # noqa: E402  # as above
from recipes.loading import load_data, read_sources  # noqa: E402  # as above
from recipes.programs import functions, python_programs  # noqa: E402  # as above
from recipes.quantizing import save_quantized  # noqa: E402  # as above
from recipes.settings import TrainingSettings, make_settings, read_settings  # noqa: E402  # as above
from simpy_cli.main import main  # noqa: E402  # as above
from simpy_corpus import Options, PackedIds, build  # noqa: E402  # as above
from simpy_corpus.inputs.python_files import PythonFiles  # noqa: E402  # as above
from simpy_grammar.dialect import Dialect  # noqa: E402  # as above
from simpy_grammar.errors import SimPyError  # noqa: E402  # as above
from tokenizer_ext import Codec  # noqa: E402  # as above
from tokenizer_ext.plain_codec import codec_for  # noqa: E402  # as above

ROOT = Path(__file__).resolve().parent.parent
SMALL: dict[str, Any] = {
    "steps": 6,
    "batch": 2,
    "length": 32,
    "evaluate_every": 4,
    "save_every": 2,
    "held_programs": 5,
    "learning_rate": 0.01,
}
SHAPE: dict[str, Any] = {"hidden": 16, "layers": 1, "heads": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some repositories of Python."""
    found = tmp_path_factory.mktemp("repositories")
    for name, files in (("one", ("lexeme", "stream")), ("two", ("reader", "errors")), ("three", ("dialect", "speller"))):
        (found / name).mkdir()
        for file in files:
            shutil.copy(ROOT / "simpy_grammar" / f"{file}.py", found / name)
    return found


@pytest.fixture(scope="module")
def python_base(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of Python that knows little."""
    output = tmp_path_factory.mktemp("python")
    values = {**SMALL, **SHAPE, "data": str(folder), "output": str(output), "dialect": "python", "vocabulary": 400}
    from_scratch.run(make_settings(from_scratch.ScratchSettings, values))
    return output / "model"


def scratch(folder: Path, output: Path, **values: Any) -> from_scratch.ScratchSettings:
    """Settings of a small run from scratch."""
    given = {**SMALL, **SHAPE, "data": str(folder), "output": str(output), "vocabulary": 400, **values}
    return make_settings(from_scratch.ScratchSettings, given)


def weights(path: Path) -> dict[str, Any]:
    """The weights of a saved model."""
    from safetensors.torch import load_file

    return load_file(path / "model.safetensors")


def same(one: Path, other: Path) -> bool:
    """Whether two saved models have the same weights, bit for bit."""
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_settings_come_from_a_file_and_then_from_options(tmp_path: Path) -> None:
    config = tmp_path / "small.yaml"
    config.write_text("data: src\noutput: out\nsteps: 7\nlearning_rate: 1e-3\nbf16: true\n")
    settings = read_settings(TrainingSettings, "", [str(config), "--steps", "9"])
    assert (settings.data, settings.steps, settings.learning_rate, settings.bf16) == ("src", 9, 1e-3, True)


def test_a_library_that_is_missing_is_named_with_what_to_install() -> None:
    block = "import sys; sys.modules['peft'] = None; import recipes"
    done = subprocess.run([sys.executable, "-c", block], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "recipes: error: not installed: peft\nhint: pip install -e '.[train,transformers,corpus]'\n"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data": "a", "output": "b", "step": 3}, "no setting 'step'\nhint: did you mean steps?"),
        ({"data": "a", "output": "b", "steps": "many"}, "the setting 'steps' is 'many', which is not of the type int"),
        ({"output": "b"}, "the setting 'data' is missing"),
    ],
)
def test_settings_that_are_wrong_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SimPyError, match=message.replace("?", r"\?")):
        make_settings(TrainingSettings, values)


@pytest.mark.parametrize("script", [from_scratch, continued, lora, shrink])
def test_every_recipe_has_a_file_of_settings(script: Any) -> None:
    path = Path(script.__file__).with_suffix(".yaml")
    kind = next(kind for name, kind in vars(script).items() if name.endswith("Settings") and kind is not TrainingSettings)
    assert read_settings(kind, "", [str(path), "--data", "a", "--output", "b"]).steps > 0


def test_what_is_held_out_is_of_other_repositories(folder: Path, tmp_path: Path) -> None:
    settings = scratch(folder, tmp_path)
    tokenizer, data = from_scratch.open_data(settings)
    codec = Codec(tokenizer, dialect="classic")
    by_text = {source.text: source.group for source in read_sources(settings)}
    groups = [by_text[codec.decode(program[:-1])] for program in data.held]
    assert data.held_groups and set(groups) <= {*data.held_groups} and len(groups) == 5
    assert not {by_text[codec.decode(data.train[i][:-1])] for i in range(len(data.train))} & {*data.held_groups}
    assert {program[-1] for program in data.held} == {tokenizer.eos_token_id}


def test_hidden_folders_are_left_out_below_the_folder_that_is_named_and_not_above(tmp_path: Path) -> None:
    root = tmp_path / ".hidden" / "programs"
    for name in ("a/one.py", "b/two.py", "a/.hidden/three.py", "a/__pycache__/four.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")
    assert [(one.text, one.group) for one in python_programs(root, "file")] == [("# a/one.py\n", "a"), ("# b/two.py\n", "b")]


def test_a_killed_run_goes_on_to_the_weights_of_a_run_that_was_left_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_scratch.run(scratch(folder, tmp_path / "whole"))
    whole = training.nats_per_program
    calls: list[int] = []

    def killed(*args: Any) -> list[float]:
        calls.append(1)
        if len(calls) == 2:  # the first is before the first step, this one after the fourth; a checkpoint is there after the second
            raise KeyboardInterrupt
        return whole(*args)

    monkeypatch.setattr(training, "nats_per_program", killed)
    with pytest.raises(KeyboardInterrupt):
        from_scratch.run(scratch(folder, tmp_path / "killed"))
    monkeypatch.undo()
    assert not (tmp_path / "killed" / "model").exists()
    from_scratch.run(scratch(folder, tmp_path / "killed"))
    assert same(tmp_path / "whole" / "model", tmp_path / "killed" / "model")
    from_scratch.run(scratch(folder, tmp_path / "killed"))  # nothing is left to do
    assert same(tmp_path / "whole" / "model", tmp_path / "killed" / "model")
    from_scratch.run(scratch(folder, tmp_path / "other", seed=1))
    assert not same(tmp_path / "whole" / "model", tmp_path / "other" / "model")
    with pytest.raises(SimPyError, match="holds a run with other settings: seed"):
        from_scratch.run(scratch(folder, tmp_path / "killed", seed=1))


def test_the_card_says_what_was_measured(python_base: Path, folder: Path) -> None:
    card = (python_base / "README.md").read_text(encoding="utf-8")
    state = json.loads((python_base.parent / "checkpoints" / "checkpoint-6" / "trainer_state.json").read_text())
    nats = [row["eval_nats"] for row in state["log_history"] if "eval_nats" in row]
    assert f"| training | 0 | {nats[0]:.1f} [" in card and f"| training | 4 | {nats[1]:.1f} [" in card
    assert "5 held-out programs" in card and "learning_rate: 0.01" in card
    assert f"data: {folder.name}\n" in card and str(folder) not in card


# ------------------------------------------------------------------------------------------------- other recipes


def test_the_recipe_for_lora_writes_an_adapter_and_a_merged_model(python_base: Path, folder: Path, tmp_path: Path) -> None:
    values = {**SMALL, "data": str(folder), "output": str(tmp_path), "base": str(python_base), "rows_steps": 4, "rank": 2}
    values["quantization"] = "torchao-int8"
    first = lora.run(make_settings(lora.LoraSettings, values))
    assert {path.name for path in (tmp_path / "adapter").iterdir()} >= {
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
    }
    kept = weights(tmp_path / "merged")
    shutil.rmtree(tmp_path / "merged")
    again = lora.run(make_settings(lora.LoraSettings, values))  # everything is trained already
    assert first == again and all(torch.equal(kept[name], value) for name, value in weights(tmp_path / "merged").items())
    card = (tmp_path / "merged" / "README.md").read_text(encoding="utf-8")
    assert f"| this checkpoint |  | {first['merged']} |" in card and "| new rows, body frozen | 4 | " in card


def test_continued_training_reads_simpy_alone_or_mixed(python_base: Path, folder: Path, tmp_path: Path) -> None:
    values = {**SMALL, "data": str(folder), "output": str(tmp_path), "base": str(python_base), "dialect": "dense"}
    assert continued.run(make_settings(continued.ContinuedSettings, values))["programs"] == 5
    assert Codec(open_tokenizer(str(tmp_path / "model")), dialect="dense").dialect.name == "dense"
    settings = make_settings(continued.ContinuedSettings, {**values, "share": 0.5})
    tokenizer = open_tokenizer(str(tmp_path / "model"))
    whole, mixed = load_data(settings, tokenizer), load_data(settings, tokenizer, share=settings.share)
    assert whole.held == mixed.held and len(whole.train) == len(mixed.train)
    simpy = sum(list(one) == list(other) for one, other in zip(whole.train, mixed.train, strict=True))
    assert 0.2 < simpy / len(whole.train) < 0.8


@pytest.mark.parametrize("dialect", ["classic", "python"])
def test_packed_ids_are_read_as_they_are(dialect: str, folder: Path, python_base: Path, tmp_path: Path) -> None:
    files = PythonFiles([(str(path), path.relative_to(folder).as_posix()) for path in sorted(folder.rglob("*.py"))])
    options = Options(dialect=Dialect.load(dialect), format="ids", tokenizer=str(python_base), separator="<|endoftext|>")
    build([files], tmp_path / "ids", options)
    packed = PackedIds(tmp_path / "ids")
    assert packed.columns == ("path",) and packed.column("path") == [name for _, name in files.files]
    settings = scratch(Path(tmp_path / "ids"), tmp_path / "out", dialect=dialect)
    tokenizer, data = from_scratch.open_data(settings)
    groups = [path.partition("/")[0] for path in packed.column("path")]
    held = [i for i, group in enumerate(groups) if group in data.held_groups]
    assert data.held == [packed[i].tolist() for i in held] and len(data.train) == len(packed) - len(held)
    assert codec_for(tokenizer, dialect).decode(data.held[0][:-1]).startswith('"""A lexeme on its own')
    with pytest.raises(SimPyError, match=f"the programs are in {dialect}, not in dense"):
        from_scratch.open_data(scratch(Path(tmp_path / "ids"), tmp_path / "out", dialect="dense"))


# ------------------------------------------------------------------------------------------------------------- shrinking


def test_the_loss_of_a_student(python_base: Path) -> None:
    teacher = open_base(str(python_base))
    ids = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 6, 5]])
    output = teacher(input_ids=ids)
    plain = shrink.distillation(teacher, 0.0, 2.0)({"input_ids": ids}, output)
    torch.testing.assert_close(plain, teacher(input_ids=ids, labels=ids).loss)
    assert shrink.distillation(teacher, 1.0, 2.0)({"input_ids": ids}, output).item() == pytest.approx(0, abs=1e-5)
    other = small_llama(open_tokenizer(str(python_base)), seed=3, **SHAPE, context=32)
    assert shrink.distillation(teacher, 1.0, 2.0)({"input_ids": ids}, other(input_ids=ids)).item() > 1e-3


def test_a_student_is_small_on_disk(python_base: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMPY_CACHE", str(tmp_path / "cache"))
    values = {**SMALL, **SHAPE, "data": str(folder), "output": str(tmp_path), "teacher": str(python_base), "dialect": "python"}
    found = shrink.run(make_settings(shrink.ShrinkSettings, {**values, "install": True}))
    assert default_model.find_kept() == default_model.DefaultModel(str(tmp_path / "model"), "python")
    assert 0 < found["megabytes"] < 0.1
    loaded = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "int8")
    assert type(loaded.model.layers[0].mlp.up_proj.weight) is not torch.nn.Parameter
    value, eight = (float(str(found[name]).split()[0]) for name in ("student", "in_8_bits"))
    assert eight == pytest.approx(value, rel=0.01)
    with pytest.raises(SimPyError, match="more than 0.001"):
        shrink.run(make_settings(shrink.ShrinkSettings, {**values, "output": str(tmp_path / "strict"), "most_megabytes": 0.001}))


# ---------------------------------------------------------------------------------------------------- what the page shows


def test_simpy_model_report_compares_models(
    python_base: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_quantized(python_base, tmp_path / "int8")
    words = ["model", "report", str(python_base), str(tmp_path / "int8"), "--data", str(folder / "one"), "--dialect", "python"]
    assert main([*words, "--samples", "2", "--max-tokens", "24", "--programs", "1", "-q", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["models"]
    assert second["megabytes"] < first["megabytes"] and second["parameters"] == first["parameters"]
    assert second["nats"] == pytest.approx(first["nats"], rel=0.05) and first["nats"][0] > 1000
    for one in (first, second):
        assert one["milliseconds_per_token"] > 0
        assert one["masked"]["parsed"] == one["masked"]["compiled"] == 2
        assert one["free"]["samples"] == 2
    assert main([*words, "--samples", "0", "--programs", "1"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0].split("  ")[0] == "model" and len(captured.out.splitlines()) == 5
    assert captured.err == "2 models measured with 1 program\n"


def test_the_commands_of_the_page_run(
    python_base: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each as it stands there, in small and with a small base."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    (tmp_path / "programs").symlink_to(folder)
    small = {name: SMALL[name] for name in ("batch", "length", "held_programs")} | {"steps": 2, "evaluate_every": 2, "save_every": 2}
    sizes = {"from_scratch": {**SHAPE, "vocabulary": 400}, "shrink": SHAPE, "lora": {"rows_steps": 2, "base": python_base}, "continued": {}}
    sizes["continued"]["base"] = python_base
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    commands = re.findall(r"^(python -m recipes\.\w+|simpy) (.*)$", page, re.MULTILINE)
    assert {program.rpartition(".")[2] for program, _ in commands} == {*sizes, "simpy"}
    for program, line in commands:
        words = shlex.split(line)
        if program == "simpy":
            assert main([*words, "-q", *(["--samples", "0", "--programs", "1"] if words[0] == "model" else [])]) == 0
            continue
        name = program.rpartition(".")[2]
        given = {**small, **sizes[name]}
        options = [word for key, value in given.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        assert {"from_scratch": from_scratch, "continued": continued, "lora": lora, "shrink": shrink}[name].main([*words, *options]) == 0
    assert "against the first" in capsys.readouterr().out


def test_an_error_of_a_recipe_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lora.main(["--data", str(tmp_path), "--output", str(tmp_path / "out"), "--base", str(tmp_path)]) == 2
    assert re.fullmatch(rf"{re.escape(str(tmp_path))}: error: cannot be loaded: .*\n", capsys.readouterr().err)


def test_a_difference_counts_seeds_and_programs() -> None:
    same = learning.difference([[1.0, 2.0, 3.0]] * 2, [[1.0, 2.0, 3.0]] * 2)
    assert (same.value, same.low, same.high) == (0, 0, 0) and learning.verdict(same) == "undecided"
    less = learning.difference([[1.0, 2.0, 3.0], [1.5, 2.5, 3.5]], [[3.0, 4.0, 5.0], [3.0, 4.0, 5.0]])
    assert less.value == pytest.approx(-1.75) and learning.verdict(less) == "fewer"
    assert (less.low, less.high) == pytest.approx((-2.0, -1.5))  # one seed alone, drawn twice
    assert learning.signed(less) == "-1.8 [-2.0, -1.5]"


def test_students_are_compared_and_go_on(tmp_path: Path) -> None:
    found = [text for path in sorted((ROOT / "transpiler").glob("*.py")) for text in functions(path.read_bytes())]
    programs = learning.Programs(found[:40], found[40:44], found[44:50])
    plan = students.Plan(programs=40, held=6, vocabulary=300, teacher=(24, 2, 2), student=(16, 1, 2), readings=1, length=64, batch=8)
    path, ways = tmp_path / "students.json", [(0.5, 2.0)]
    students.measure(path, tmp_path / "work", plan, programs, 2, ways)
    results = json.loads(path.read_text())
    runs = results["runs"]
    assert {f"{arm}, seed {seed}" for arm in ("alone", "taught") for seed in (0, 1)} < {*runs}
    assert runs["alone, seed 0"]["result"] != runs["taught, seed 0"]["result"] and len(runs["alone, seed 0"]["result"]) == 6
    assert runs["costs"]["result"]["int8 megabytes"] < runs["costs"]["result"]["megabytes"]
    page = students.table(results)
    assert "Distillation with weight 0.5, temperature 2." in page and "| student with the teacher | 16, 1 |" in page
    kept = {name: run for name, run in runs.items() if name != "taught, seed 1"}
    path.write_text(json.dumps({**results, "runs": kept}))
    students.measure(path, tmp_path / "work", plan, programs, 2, ways)
    again = json.loads(path.read_text())["runs"]
    assert again["taught, seed 1"]["result"] == runs["taught, seed 1"]["result"]
    with pytest.raises(SystemExit, match="holds runs with other settings"):
        students.measure(path, tmp_path / "work", plan, programs._replace(train=found[:39]), 2, ways)


# --------------------------------------------------------------------------------------------------------------- messages


def test_the_noise_of_an_import_is_dropped_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    loggers = {name: logging.getLogger(name) for name in few_bits.NOISE}
    with few_bits.without_noise():
        loggers["torchao"].warning("Failed to load a.so: no such symbol")
        loggers["torchao"].warning("torchao is too old")
        loggers["torch.utils._pytree"].warning("%s is an Enum subclass and is now supported", "E")
        loggers["torch.utils._pytree"].warning("%s is registered twice", "E")
    loggers["torchao"].warning("Failed to load b.so")
    assert [record.getMessage() for record in caplog.records] == ["torchao is too old", "E is registered twice", "Failed to load b.so"]
    few_bits.import_torchao()
    assert not any(logger.filters for logger in loggers.values())

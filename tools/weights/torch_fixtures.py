"""Weights between PyTorch and fep-moe, both ways, for packages/core/test/safetensors-torch.test.ts.

    python -m venv weights-env && weights-env/bin/pip install torch safetensors numpy
    weights-env/bin/python tools/weights/torch_fixtures.py make      # files that PyTorch writes
    node tools/weights/write-ours.mjs                                # files that fep-moe writes (after `npm run build`)
    weights-env/bin/python tools/weights/torch_fixtures.py check     # PyTorch reads those and computes the same

two_minutes.py is the script of docs/weights.md; run it in packages/core/test/fixtures/weights/two-minutes.

Made with torch 2.15, safetensors 0.8, numpy 2.4. `make` draws from fixed seeds.
"""
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save, save_file

FOLDER = Path(__file__).resolve().parents[2] / "packages/core/test/fixtures/weights"
PT = {"format": "pt"}


class Gate(torch.nn.Module):
    """Memory and direct anticipation: h = sigmoid(beta_raw) h + x, x_hat = predictor([x, h]), logits = W x_hat."""

    def __init__(self, dim, experts, hidden):
        super().__init__()
        self.beta_raw = torch.nn.Parameter(torch.linspace(0.5, 2.5, dim))
        self.W = torch.nn.Linear(dim, experts)
        self.predictor = torch.nn.Sequential(
            torch.nn.Linear(2 * dim, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, dim)
        )

    def forward(self, x):
        h = torch.zeros_like(x[:, 0])
        logits = []
        for t in range(x.shape[1]):
            h = torch.sigmoid(self.beta_raw) * h + x[:, t]
            logits.append(self.W(self.predictor(torch.cat([x[:, t], h], -1))))
        return torch.stack(logits, 1)


def make_gate():
    torch.manual_seed(1)
    gate = Gate(6, 3, 24)
    x = torch.randn(4, 9, 6)
    save_file(gate.state_dict(), FOLDER / "gate.safetensors", PT)
    with torch.no_grad():
        logits = gate(x)
    save_file({"x": x, "logits": logits, "weights": torch.softmax(logits, -1)}, FOLDER / "gate-expected.safetensors")


def make_router():
    """A shard as large models have it: many tensors, bfloat16, a router without bias among them."""
    torch.manual_seed(2)
    tensors = {"model.embed_tokens.weight": torch.randn(10, 6).bfloat16(), "model.rotary.position": torch.arange(5)}
    for layer in (2, 3):
        prefix = f"model.layers.{layer}.mlp"
        tensors[f"{prefix}.gate.weight"] = torch.randn(8, 6).bfloat16()
        for expert in range(8):
            tensors[f"{prefix}.experts.{expert}.up_proj.weight"] = torch.randn(4, 6).bfloat16()
    save_file(tensors, FOLDER / "router.safetensors", PT)
    x = torch.randn(2, 5, 6)
    logits = x @ tensors["model.layers.3.mlp.gate.weight"].float().T
    best, indices = logits.topk(2, -1)
    save_file(
        {"x": x, "logits": logits, "indices": indices, "gates": torch.softmax(best, -1)},
        FOLDER / "router-expected.safetensors",
    )


def make_sigmoid_router():
    """A router of DeepSeek-V3's kind with one group: sigmoid scores, a correction bias that selects and does not weigh."""
    torch.manual_seed(3)
    prefix = "model.layers.3.mlp.gate"
    weight, bias = torch.randn(8, 6), 0.2 * torch.randn(8)
    save_file(
        {f"{prefix}.weight": weight, f"{prefix}.e_score_correction_bias": bias},
        FOLDER / "sigmoid-router.safetensors",
        PT,
    )
    x = torch.randn(4, 9, 6)
    scores = torch.sigmoid(x @ weight.T)
    indices = (scores + bias).topk(3, -1).indices
    gates = scores.gather(-1, indices)
    gates = 2.5 * gates / gates.sum(-1, keepdim=True)
    save_file({"x": x, "indices": indices, "gates": gates}, FOLDER / "sigmoid-router-expected.safetensors")


def make_dtypes():
    bits = torch.cat([torch.arange(0, 2**16, 37), torch.tensor([0x0001, 0x03FF, 0x7BFF, 0x7C00, 0x7E00, 0x8000, 0xFC00])])
    bits = (bits - 2**16 * (bits >= 2**15)).to(torch.int16)
    f16, bf16 = bits.view(torch.float16), bits.clone().view(torch.bfloat16)
    f64 = torch.tensor([0.1, -1e300, 5e-324, 16777217.0, -0.0, float("nan"), float("inf")], dtype=torch.float64)
    i64 = torch.tensor([-(2**31), -1, 0, 2**31 - 1])
    mask = torch.tensor([[True, False, True]])
    save_file(
        {
            "f16": f16, "f16.expected": f16.float(), "bf16": bf16, "bf16.expected": bf16.float(),
            "f64": f64, "f64.expected": f64.float(), "i64": i64, "i64.expected": i64.to(torch.int32),
            "bool": mask, "bool.expected": mask.to(torch.int32), "empty": torch.zeros(0, 3), "scalar": torch.tensor(2.5),
            "u8": torch.arange(4, dtype=torch.uint8),
        },
        FOLDER / "dtypes.safetensors",
    )  # fmt: skip


def check():
    tensors = load_file(FOLDER / "ours.safetensors")
    gate = Gate(5, 4, 20)
    gate.load_state_dict(tensors, strict=True)
    expected = load_file(FOLDER / "ours-expected.safetensors")
    with torch.no_grad():
        logits = gate(expected["x"])
    error = (logits - expected["logits"]).abs().max().item()
    assert error <= 1e-5, f"logits differ by {error}"
    with safe_open(FOLDER / "ours.safetensors", "pt") as file:
        assert file.metadata() == PT, file.metadata()
    for name in ("ours.safetensors", "ours-expected.safetensors"):
        same = save(load_file(FOLDER / name), PT) == (FOLDER / name).read_bytes()
        assert same, f"{name}: the format's own writer gives other bytes"
    assert expected["indices"].dtype == torch.int32 and expected["reset"].dtype == torch.bool
    print(f"PyTorch reads what fep-moe wrote: {len(tensors)} tensors, logits within {error:.1e}, equal bytes when written again")


if __name__ == "__main__":
    if sys.argv[1:] == ["make"]:
        make_gate()
        make_router()
        make_sigmoid_router()
        make_dtypes()
    elif sys.argv[1:] == ["check"]:
        check()
    else:
        sys.exit(__doc__)

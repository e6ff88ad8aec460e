import torch
from safetensors.torch import save_file


class Gate(torch.nn.Module):
    def __init__(self, dim, experts):
        super().__init__()
        self.beta_raw = torch.nn.Parameter(torch.full((dim,), 2.0))
        self.W = torch.nn.Linear(dim, experts)
        self.predictor = torch.nn.Sequential(
            torch.nn.Linear(2 * dim, 4 * dim), torch.nn.ReLU(), torch.nn.Linear(4 * dim, dim)
        )

    def forward(self, x):
        h = torch.zeros_like(x[:, 0])
        logits = []
        for t in range(x.shape[1]):
            h = torch.sigmoid(self.beta_raw) * h + x[:, t]
            logits.append(self.W(self.predictor(torch.cat([x[:, t], h], -1))))
        return torch.stack(logits, 1)


torch.manual_seed(0)
gate, x = Gate(16, 4), torch.randn(2, 12, 16)
save_file(gate.state_dict(), "gate.safetensors")
save_file({"x": x}, "x.safetensors")
save_file({"logits": gate(x).detach()}, "torch.safetensors")

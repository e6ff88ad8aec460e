"""Makes every golden vector again from the written formulas, in double precision, from the stored parameters and inputs.

    python -m venv goldens-env && goldens-env/bin/pip install torch numpy
    goldens-env/bin/python tools/goldens/recreate.py > tools/goldens/recreated.json

It shares no code with the library and none with the papers' scripts. The result holds for every case the SHA-256 of the
stored bytes, the number of tensors that were made again, and the largest error as a share of what the tensor is allowed
(atol + rtol |value|, integers exactly); exits with 1 where one is above 1 or a tensor was not made. A test compares the
file with the stored vectors, so it needs no Python. Made with torch 2.15.

Adam: m = .9 m + .1 g; v = .999 v + .001 g^2; p -= lr m / (1 - .9^n) / (sqrt(v / (1 - .999^n)) + 1e-8).
"""
import base64
import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
from torch import sigmoid, softmax
from torch.nn.functional import cross_entropy, gelu, layer_norm, linear, relu

torch.set_default_dtype(torch.float64)
VECTORS = Path(__file__).resolve().parents[2] / "packages/conformance/src/vectors"


def stored():
    """(id, configuration, tensors by name, atol by name, bytes) of every case."""
    index = (VECTORS / "index.ts").read_text()
    rtol = float(re.search(r"RTOL = (\S+)", index)[1])
    configs = {entry["id"]: entry for entry in map(json.loads, re.findall(r"^  (\{.*\}),$", index, re.M))}
    for module in sorted({entry["module"] for entry in configs.values()}):
        text = (VECTORS / f"{module}.ts").read_text()
        for case, tensors, data in re.findall(r'  "([^"]+)": \{\n    tensors: (.*),\n    bytes:\s+\'([^\']*)\'', text):
            data = base64.b64decode(data)
            found, atol, at = {}, {}, 0
            for name, dtype, shape, tolerance in json.loads(tensors):
                count = int(np.prod(shape))
                array = np.frombuffer(data, np.dtype(dtype), count, at).reshape(shape)
                found[name] = torch.tensor(array.astype(np.int64 if dtype == "int32" else np.float64))
                atol[name], at = tolerance, at + 4 * count
            yield case, configs[case]["config"], found, atol, rtol, data


def lin(p, name, x):
    return linear(x, p[f"{name}.weight"], p.get(f"{name}.bias"))


def mse(a, b):
    return ((a - b) ** 2).mean()


def integrate(beta, xs):
    """h_t = beta h_{t-1} + x_t over axis 1."""
    h, out = torch.zeros_like(xs[:, 0]), []
    for t in range(xs.shape[1]):
        h = beta * h + xs[:, t]
        out.append(h)
    return torch.stack(out, 1)


def ablation(p, c, x, targets, pi=None):
    """A1, and A6 without Pi and without the prediction's loss, on probabilities."""
    now, after = x[:, :-1], x[:, 1:]
    h = integrate(sigmoid(p["beta_raw"]), now) if c["use_beta"] else None
    out = {}
    if c["oracle"]:
        r = after
    elif c["use_ant"]:
        seen = torch.cat([now, h], -1) if c["use_beta"] else now
        r = out["x_hat"] = lin(p, "predictor.2", relu(lin(p, "predictor.0", seen)))
    else:
        r = h if c["use_beta"] else now
    z = lin(p, "W", r)
    if c.get("use_pi"):
        z = z * pi
    gates = softmax(z, -1)
    out |= {"logits": z, "gates": gates}
    scores = z if "pred_coeff" in c else gates
    loss = 0
    for t in range(now.shape[1]):
        loss = loss + cross_entropy(scores[:, t], targets[:, t])
        if c["use_ant"] and "pred_coeff" in c:
            loss = loss + c["pred_coeff"] * mse(out["x_hat"][:, t], after[:, t])
    rows = []
    for t in range(now.shape[1]):
        g, y = gates[:, t], targets[:, t]
        mass = g.gather(1, y[:, None]).mean()
        rows.append(torch.stack([mass, -(g * (g + 1e-9).log()).sum(1).mean(), (g.argmax(1) == y).double().mean(), 1 - mass]))
    out["metrics"] = torch.stack(rows)
    return out, loss


def classifier(kind):
    """A2."""

    def run(p, c, x, targets):
        if kind == "last":
            z = lin(p, "W", x[:, -1])
        elif kind == "mean":
            z = lin(p, "W", x.mean(1))
        else:
            beta = sigmoid(p["beta_raw"]) if kind == "lif_learn" else c["beta"]
            z = torch.zeros(x.shape[0], c["E"])
            for t in range(x.shape[1]):
                z = torch.clamp(beta * z + lin(p, "W", x[:, t]), max=c["threshold"])
        gates = softmax(z, -1)
        return {"gates": gates}, cross_entropy(gates, targets)

    return run


def anticipatory(kind):
    """A4."""

    def run(p, c, x, targets):
        now, after = x[:, :-1], x[:, 1:]
        out, r = {}, now
        if kind == "ant":
            r = out["x_hat"] = lin(p, "predictor.net.2", relu(lin(p, "predictor.net.0", now)))
        elif kind == "oracle":
            r = after
        out["gates"] = softmax(lin(p, "W", r), -1)
        loss = 0
        for t in range(now.shape[1]):
            loss = loss + cross_entropy(out["gates"][:, t], targets[:, t])
            if kind == "ant":
                loss = loss + c["pred_coeff"] * mse(r[:, t], after[:, t])
        return out, loss

    return run


def language_model(kind):
    """A5."""

    def run(p, c, x, y):
        e = p["embed.weight"][x]
        z = lin(p, "router.W", integrate(sigmoid(p["router.beta_raw"]), e) if kind != "standard" else e)
        predicted = torch.zeros(())
        if kind == "beta_ant":
            mem = integrate(sigmoid(p["router.beta_raw"]), e)
            xhat = lin(p, "router.predictor.2", gelu(lin(p, "router.predictor.0", torch.cat([e, mem], -1))))
            z = z + lin(p, "router.W_pred", xhat)
            predicted = torch.stack([mse(xhat[:, t], e[:, t + 1].detach()) for t in range(x.shape[1] - 1)]).mean()
        gates = softmax(z, -1)
        u = e
        for j in range(c["E"]):
            u = u + gates[..., j : j + 1] * lin(p, f"experts.{j}.2", gelu(lin(p, f"experts.{j}.0", e)))
        u = layer_norm(u, (c["D"],), p["norm.weight"], p["norm.bias"], c["ln_eps"])
        logits = lin(p, "head", u)
        tok = torch.logsumexp(logits, -1) - logits.gather(-1, y[..., None])[..., 0]
        w = torch.ones(x.shape[1])
        w[c["switch_pos"] - 1] = c["trans_weight"]
        loss = (w * tok).mean() + c["pred_coeff"] * predicted
        return {"gates": gates, "logits": logits, "tok_loss": tok, "pred_loss": predicted}, loss

    return run


def mixture(p, c, x, target, pi=None):
    """A3, the mixture; with Pi where it is given."""
    z = lin(p, "router.W", x)
    gates = softmax(z if pi is None else z * pi, -1)
    outs = torch.stack([lin(p, f"experts.{j}.net.2", relu(lin(p, f"experts.{j}.net.0", x))) for j in range(c["E"])], 1)
    out = (gates[..., None] * outs).sum(1)
    errors = ((outs - target[:, None]) ** 2).mean((0, 2))
    return {"gates": gates, "expert_outs": outs, "out": out, "per_expert_err": errors}, mse(out, target)


def composed(p, c, x, targets, pi):
    """A7."""
    h = integrate(sigmoid(p["beta_raw"]), x)
    xhat = lin(p, "predictor.2", gelu(lin(p, "predictor.0", torch.cat([x, h], -1))))
    gates = softmax((lin(p, "W", h) + lin(p, "W_pred", xhat)) * pi, -1)
    loss = sum(-gates[:, t].gather(1, targets[:, t : t + 1]).log().mean() for t in range(x.shape[1]))
    loss = loss + c["pred_coeff"] * torch.stack([mse(xhat[:, t], x[:, t + 1]) for t in range(x.shape[1] - 1)]).mean()
    return {"gates": gates, "h": h}, loss


def skill_gate(z, state, variance, c, detach=False):
    """One step of S0's gate."""
    state = (state.detach() if detach else state) * np.exp(-1 / c["tau"]) + softmax(z, -1)
    return softmax(z - (variance + c.get("eps", 1e-8)).log() + state, -1), state


def skill(p, c, v, detach=False):
    b, var = torch.zeros(c["B"], c["E"]), torch.ones(c["B"], c["E"])
    rows, loss = {"beta": [], "error_var": [], "routing_probs": []}, 0
    for t in range(c["T"]):
        probs, b = skill_gate(lin(p, "gate", v["input.x"][t]), b, var, c, detach)
        var = c["ema"] * var + (1 - c["ema"]) * v["input.errors"][t] ** 2
        loss = loss - probs.gather(1, v["input.targets"][t][:, None]).log().mean()
        for name, row in zip(rows, (b, var, probs)):
            rows[name].append(row)
    return {name: torch.stack(list_) for name, list_ in rows.items()}, loss


def skill_mixture(p, c, v):
    b, var = torch.zeros(c["B"], c["E"]), torch.ones(c["B"], c["E"])
    rows, loss, average = {}, 0, None
    for t in range(c["T"]):
        x = v["input.x"][t]
        average = x if average is None else c["acc_decay"] * average + (1 - c["acc_decay"]) * x
        routing, b = skill_gate(lin(p, "gate.gate", x), b, var, c)
        hidden = relu(lin(p, "anticipator.predictor.0", average))
        ahead = softmax(lin(p, "anticipator.predictor.2", hidden), -1)
        probs, chosen = (routing + ahead).topk(c["top_k"], -1)
        outs = torch.stack([lin(p, f"experts.{j}.net.2", relu(lin(p, f"experts.{j}.net.0", x))) for j in range(c["E"])], 1)
        y = (probs[..., None] * outs.gather(1, chosen[..., None].expand(-1, -1, x.shape[-1]))).sum(1)
        var = 0.9 * var + 0.1 * v["input.errors"][t] ** 2
        loss = loss + mse(y, v["input.target"][t])
        row = {"accumulated_state": average, "anticipatory": ahead, "combined": routing + ahead, "indices": chosen}
        for name, value in (row | {"probs": probs, "routing": routing, "y": y}).items():
            rows.setdefault(name, []).append(value)
    return {name: torch.stack(list_) for name, list_ in rows.items()}, loss


def tracked(rows, momentum, epsilon, start):
    """var <- m var + (1 - m) error; Pi = 1 / (var + eps)."""
    var, out = torch.full_like(rows[0], start), []
    for row in rows:
        var = momentum * var + (1 - momentum) * row
        out.append(var)
    return torch.stack(out), 1 / (torch.stack(out) + epsilon)


def misses(column, experts):
    return torch.stack([(column != i).double().mean() for i in range(experts)])


def coverage(p, cap):
    if p >= 0.99:
        return 1.0
    return min(np.inf if p <= 0 else np.log(0.01) / np.log(1 - p), cap)


def coverage_lm(p):
    if p >= 0.999:
        return 1.0
    return min(np.log(0.01) / np.log(1 - p), 999.0) if p > 0.001 else 999.0


def all_weights(z, kind, anchored=True):
    """Weights of all experts (N, E), and of the shared one (N), None where it is 1."""
    if kind in ("sigmoid", "relu"):
        return (sigmoid(z) if kind == "sigmoid" else relu(z)), None
    if kind == "softmax_k":
        return softmax(z, 0), None
    if not anchored:
        return softmax(z, -1), None
    q = softmax(torch.cat([torch.zeros_like(z[:, :1]), z], -1), -1)
    return q[:, 1:], q[:, 0]


def share(c, tokens):
    return tokens * (c["g"] - 1) // (c["g"] * c["e"]) if c["shared"] else tokens // c["e"]


def best(z, counts):
    """Column j's counts[j] largest."""
    rank = (-z).argsort(stable=True, dim=0).argsort(dim=0)
    return rank < torch.as_tensor(counts)


def in_force(raw, c, updates):
    return raw if updates == 0 else raw / (1 - c["alpha"] ** updates)


def choose(z, c, raw=None, updates=None):
    """The mask of B1 and B2 on logits (N, E), and what is known on the way."""
    z = z.detach()
    updates = c.get("updates", 0) if updates is None else updates
    raw = torch.zeros(z.shape[1]) if raw is None else raw
    cutoffs, k = in_force(raw, c, updates), share(c, z.shape[0])
    out = {"effective_cutoff": cutoffs}
    if c["policy"] == "topk":
        size = (c.get("routing_chunk_seqs") or c["B"]) * c["T"]
        k, pools = share(c, size), z.split(size)
        last = torch.stack([pool.sort(0, descending=True)[0][k - 1] for pool in pools])
        out |= {"cutoffs": last, "cutoff_accum_sum": last.mean(0), "cutoff_accum_count": torch.ones(1)}
        return torch.cat([best(pool, k) for pool in pools]), out
    above = z >= cutoffs
    count = above.sum(0)
    out |= {"above_counts": count, "k_actual": count}
    out |= {"cutoff_accum_sum": torch.zeros(z.shape[1]), "cutoff_accum_count": torch.zeros(1)}
    if not c["training"]:
        return above, out
    out |= {"cutoff_accum_sum": z.sort(0, descending=True)[0][k - 1], "cutoff_accum_count": torch.ones(1)}
    if c["capacity_factor"] < 0:
        return above, out
    least, most = int(k * (1 - c["capacity_factor"])), int(k * (1 + c["capacity_factor"]))
    out["k_actual"] = count.clamp(least, most)
    out["metric.capacity_underflow_rate"] = (count < least).double().mean()
    out["metric.capacity_overflow_rate"] = (count > most).double().mean()
    out["metric.capacity_raw_expert_usage"] = (count / z.shape[0]).mean()
    return best(z, out["k_actual"]), out


def engine(c, v):
    """B1, B2."""
    x = v["input.x"].reshape(c["B"] * c["T"], c["d"])
    z = x @ v["param.router.weight"].T if "param.router.weight" in v else x
    mask, out = choose(z, c, v.get("input.cutoff_ema_raw"))
    weights, shared = all_weights(z, c["activation"])
    if shared is None:
        shared = torch.ones(z.shape[0])
    if c["activation"] == "softmax_e_shared_out":
        shared = torch.full((z.shape[0],), 1 / c["g"])
    m = mask.double()
    fanout, chosen = m.sum(1), weights * m
    selected = weights[mask]
    p = relu(z) if c["activation"] == "relu" else sigmoid(z)
    cutoffs = out["cutoff_accum_sum"] if c["training"] else out["effective_cutoff"]
    made = {"router_logits": z, "all_weights": weights, "shared_weights": shared, "mask": mask.long(), "weights": chosen}
    made |= {"counts": mask.sum(0), "fanout": fanout, "derived_weights_over_fanout": chosen / fanout.clamp(min=1)[:, None]}
    made |= {name: value for name, value in out.items()}
    made |= {"metric." + name: value for name, value in {
        "expert_usage": m.mean(0),
        "avg_experts_per_token": fanout.mean(),
        "max_experts_per_token": fanout.max(),
        "tokens_with_no_expert": (fanout == 0).double().mean(),
        "tokens_with_1_expert": (fanout == 1).double().mean(),
        "tokens_with_2+_experts": (fanout >= 2).double().mean(),
        "cutoffs": cutoffs,
        "cutoff_ema": out["effective_cutoff"],
        "cutoff_abs_deviation": (cutoffs - out["effective_cutoff"]).abs().mean(),
        "router_logit_mean": z.mean(),
        "router_logit_std": z.std(),
        "norm_selected_ratio": (chosen.sum(1) / p.sum(1).clamp(min=1e-6)).mean(),
        "norm_denominator_mean": fanout.mean(),
        "norm_denominator_std": fanout.std(),
        "select_norm_sum": chosen.sum(1).mean(),
        "all_norm_sum": p.sum(1).mean(),
    }.items()}  # fmt: skip
    if not len(selected):
        made |= {f"metric.activation_weight_{name}": torch.zeros(1) for name in ("mean", "std", "max", "min")}
    else:
        made |= {"metric.activation_weight_mean": selected.mean(), "metric.activation_weight_std": selected.std()}
        made |= {"metric.activation_weight_max": selected.max(), "metric.activation_weight_min": selected.min()}
        made["metric.zero_weight_ratio"] = (selected == 0).double().mean()
    return {f"output.{name}": value for name, value in made.items()}


def averages(c, v):
    """B3: S steps of M micro-batches of logits."""
    raw, updates, rows = torch.zeros(c["E"]), 0, {}
    for s in range(c["S"]):
        total, step = torch.zeros(c["E"]), {"cutoffs": [], "cutoffs_for_metrics": [], "above_counts": []}
        for m in range(c["M"]):
            z = v["input.logits"][s, m]
            cutoff = z.sort(0, descending=True)[0][share(c, c["N"]) - 1]
            total = total + cutoff
            step["cutoffs"].append(cutoff)
            step["cutoffs_for_metrics"].append(cutoff if c["policy"] == "topk" else total / (m + 1))
            step["above_counts"].append((z >= in_force(raw, c, updates)).sum(0))
        if s >= c["ema_start"]:
            raw, updates = c["alpha"] * raw + (1 - c["alpha"]) * total / c["M"], updates + 1
        step |= {"ema_raw": raw, "updates": torch.tensor(updates), "ema_effective": in_force(raw, c, updates)}
        for name, value in step.items():
            rows.setdefault(name, []).append(torch.stack(value) if isinstance(value, list) else value)
    return {f"output.{name}": torch.stack(value) for name, value in rows.items()}


def squared_relu(w1, w2, x):
    return relu(x @ w1.T) ** 2 @ w2.T


def expert_layer(p, c, x, mask, weights, shared):
    """B4, B5: y (B, T, d)."""
    rows = x.reshape(-1, c["d"])
    y = torch.zeros_like(rows)
    for j in range(c["E"]):
        one = squared_relu(p[f"engine.expert_weight1.{j}"], p[f"engine.expert_weight2.{j}"], rows)
        y = y + (weights[:, j] * mask[:, j].double())[:, None] * one
    if c["shared"]:
        one = squared_relu(p["shared_weight1"], p["shared_weight2"], rows)
        y = y + one * (1 if shared is None else shared[:, None])
    return y.reshape(x.shape)


def chosen_layer(p, c, x, raw, updates):
    z = x.reshape(-1, c["d"]) @ p["engine.router.weight"].T
    mask, out = choose(z, c, raw, updates)
    weights, shared = all_weights(z, c["activation"])
    if c["activation"] == "softmax_e_shared_out":
        shared = torch.full_like(z[:, 0], 1 / c["g"])
    return expert_layer(p, c, x, mask, weights, shared), mask, weights, out


def layer(c, v):
    """B4."""
    p, x = leaves(v), v["input.x"].clone().requires_grad_()
    y, mask, weights, _ = chosen_layer(p, c, x, v.get("input.cutoff_ema_raw"), c["updates"])
    loss = mse(y, v["input.target"])
    usage = torch.cat([torch.ones(1 if c["shared"] else 0), mask.double().mean(0)])
    made = {"output.y": y, "output.loss": loss, "output.mask": mask.long(), "output.weights": weights * mask, "output.expert_usage": usage}
    grads = torch.autograd.grad(loss, [x, *p.values()])
    return made | {"grad.input.x": grads[0]} | {f"grad.{k}": g for k, g in zip(p, grads[1:])}


def layer_training(c, v):
    """B5."""
    p, raw, updates, rows = leaves(v), torch.zeros(c["E"]), 0, {"train_loss": [], "ema_raw": [], "masks": []}
    total = None

    def step(s):
        nonlocal raw, updates, total
        if s > 0:
            raw, updates = c["alpha"] * raw + (1 - c["alpha"]) * total / c["M"], s
            rows["ema_raw"].append(raw)
        now = c | {"policy": "topk" if s < c["threshold_warmup_steps"] else "threshold", "training": 1}
        total, losses, masks = torch.zeros(c["E"]), [], []
        for x, y in zip(v[f"input.batch{s}"], v[f"input.target{s}"]):
            out, mask, _, known = chosen_layer(p, now, x, raw, updates)
            total = total + known["cutoff_accum_sum"]
            losses.append(mse(out, y))
            masks.append(mask.long())
        loss = torch.stack(losses).mean()
        rows["train_loss"].append(loss.detach())
        rows["masks"].append(torch.stack(masks))
        return loss

    adam(p, c, step)
    raw, updates = c["alpha"] * raw + (1 - c["alpha"]) * total / c["M"], 5
    rows["ema_raw"].append(raw)
    made = {f"output.{name}": torch.stack(value) for name, value in rows.items()}
    y, _, _, known = chosen_layer(p, c | {"policy": "threshold", "training": 0}, v["input.batch0"][0], raw, updates)
    made |= {"output.eval_y": y, "output.effective_cutoff": known["effective_cutoff"]}
    return made | {f"after5.{k}": t for k, t in p.items()}


def loss_free(bias, counts, c):
    return bias + c["deepseek_bias_lr"] * (counts.mean() - counts).sign()


def token_choice(c, v):
    """B6."""
    p, x = leaves({k: t for k, t in v.items() if k != "param.router_bias"}), v["input.x"].clone().requires_grad_()
    rows, f, d = x.reshape(-1, c["d"]), c["expert_dim"], c["d"]
    z = rows @ p["router.weight"].T
    weights, _ = all_weights(z, c["activation"], anchored=c["activation"] == "softmax_e" and not c["shared"])
    bias = v.get("param.router_bias")
    idx = (z if bias is None else z + bias).topk(c["top_k"], -1)[1]
    gates = weights.gather(1, idx)
    picked = torch.zeros_like(z).scatter(1, idx, 1)
    y = torch.zeros_like(rows)
    for j in range(c["E"]):
        one = squared_relu(p["expert_weight1"][j * f : (j + 1) * f], p["expert_weight2"][j * d : (j + 1) * d], rows)
        y = y + (weights[:, j] * picked[:, j])[:, None] * one
    if c["shared"]:
        y = y + squared_relu(p["shared_weight1"], p["shared_weight2"], rows)
    y = y.reshape(x.shape)
    task = mse(y, v["input.target"])
    frequency = c["E"] * (picked / c["top_k"]).mean(0) - (1 if c["load_balance"] == "aux_error" else 0)
    aux = (frequency * weights.mean(0)).sum()
    usage = torch.cat([torch.ones(1 if c["shared"] else 0), picked.mean(0)])
    made = {"y": y, "loss": task, "router_logits": z, "all_weights": weights, "expert_idxs": idx, "gates": gates}
    made |= {"expert_usage": usage, "aux_loss": aux, "bias_counts": picked.sum(0)}
    if bias is not None:
        made["router_bias_after"] = loss_free(bias, picked.sum(0), c)
    grads = torch.autograd.grad(task + c["aux_loss_coef"] * aux, [x, *p.values()])
    made = {f"output.{name}": value for name, value in made.items()}
    return made | {"grad.input.x": grads[0]} | {f"grad.{k}": g for k, g in zip(p, grads[1:])}


def biases(c, v):
    """B7."""
    bias, rows = torch.zeros(c["E"]), {"counts": [], "router_bias": [], "expert_idxs": []}
    for step in v["input.x"]:
        chosen = [(x.reshape(-1, c["d"]) @ v["param.router.weight"].T + bias).topk(c["top_k"], -1)[1] for x in step]
        counts = torch.stack([torch.bincount(idx.flatten(), minlength=c["E"]).double() for idx in chosen])
        bias = loss_free(bias, counts.mean(0), c)
        rows["expert_idxs"].append(torch.stack(chosen))
        rows["counts"].append(counts.sum(0))
        rows["router_bias"].append(bias)
    return {f"output.{name}": torch.stack(value) for name, value in rows.items()}


def cosine(c, v, kind):
    """S4."""
    if kind == "init":
        thresholds = v["input.calibration"].quantile(c["quantile"], 0)
        routing = v["input.scores"] > thresholds
        loads = routing.sum(0)
        made = {"thresholds": thresholds, "routing": routing.long(), "loads": loads}
        made |= {"avg_load": loads.double().mean(), "load_variance": loads.double().var(correction=0)}
        return {f"output.{name}": value for name, value in made.items()}
    p = leaves({k: t for k, t in v.items() if k != "param.expert_prototypes"})
    prototypes = v["param.expert_prototypes"]
    unit = lambda a: a / a.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # noqa: E731
    thresholds = v.get("input.thresholds0", torch.full((c["E"],), float(c.get("threshold0", 0))))
    rows, loss = {name: [] for name in ("scores", "routing", "thresholds", "loads", "load_variance", "y")}, 0
    for s, x in enumerate(v["input.x"]):
        scores = unit(x.reshape(-1, c["D"])) @ unit(prototypes).T
        routing = scores > thresholds
        spread = scores.std(0) if len(scores) > 1 else torch.full((c["E"],), float("nan"))
        thresholds = c["decay"] * thresholds + (1 - c["decay"]) * (scores.mean(0) - spread)
        loads = routing.sum(0)
        for name, value in (("scores", scores), ("routing", routing.long()), ("thresholds", thresholds), ("loads", loads)):
            rows[name].append(value)
        rows["load_variance"].append(loads.double().var(correction=0))
        if kind != "layer":
            continue
        outs = [lin(p, f"experts.{j}.2", relu(lin(p, f"experts.{j}.0", x.reshape(-1, c["D"])))) for j in range(c["E"])]
        y = sum(routing[:, j : j + 1] * outs[j] for j in range(c["E"])).reshape(x.shape)
        rows["y"].append(y)
        loss = loss + mse(y, v["input.target"][s])
    made = {f"output.{name}": torch.stack(value) for name, value in rows.items() if value}
    if kind != "layer":
        return made
    return made | {"output.loss": loss} | {f"grad.{k}": g for k, g in zip(p, torch.autograd.grad(loss, list(p.values())))}


SPARSE = {"B1": engine, "B2": engine, "B3": averages, "B4": layer, "B5": layer_training, "B6": token_choice, "B7": biases}


def leaves(v):
    return {k[6:]: t.clone().requires_grad_() for k, t in v.items() if k.startswith("param.")}


def adam(p, c, losses):
    """Five steps; `losses(step)` is the loss of a batch at the present parameters."""
    m = {k: torch.zeros_like(t) for k, t in p.items()}
    s = {k: torch.zeros_like(t) for k, t in p.items()}
    for n in range(1, 6):
        loss = losses(n - 1)
        grads = torch.autograd.grad(loss, list(p.values()))
        with torch.no_grad():
            for (k, t), g in zip(p.items(), grads):
                m[k] = 0.9 * m[k] + 0.1 * g
                s[k] = 0.999 * s[k] + 0.001 * g * g
                t -= c["lr"] * (m[k] / (1 - 0.9**n)) / ((s[k] / (1 - 0.999**n)).sqrt() + 1e-8)


def trained(run, c, v, made):
    """Forward, gradients and five Adam steps of a case whose batches are numbered."""
    left, right = next((a, b) for a, b in (("batch", "targets"), ("batch", "target"), ("x", "y"), ("x", "targets"))
                       if (f"input.{a}0" in v or f"input.{a}" in v) and (f"input.{b}0" in v or f"input.{b}" in v))  # fmt: skip
    batch = lambda i: [v.get(f"input.{n}{i}", v.get(f"input.{n}")) for n in (left, right)]  # noqa: E731
    given = [v["input.pi"]] if "input.pi" in v else []
    p = leaves(v)
    out, loss = run(p, c, *batch(0), *given)
    made |= {f"output.{name}": value for name, value in out.items()} | {"output.loss": loss}
    made |= {f"grad.{k}": g for k, g in zip(p, torch.autograd.grad(loss, list(p.values())))}
    if "output.train_loss" not in v:
        return
    p, losses, used, variances = leaves(v), [], [], []
    by_errors, by_misses = "output.pi_history" in v, "output.pi_used" in v
    var = torch.full((c["E"],), float(c["pi_var0"] if by_misses else c.get("var0", 1)))
    pi = lambda: 1 / (var + (c["pi_eps"] if by_misses else c["eps"]))  # noqa: E731

    def step(i):
        nonlocal var
        used.append(pi() if by_misses or by_errors else None)
        found, loss = run(p, c, *batch(i), *([used[-1]] if given else []))
        losses.append(loss.detach())
        if by_misses:
            rows = [misses(batch(i)[1][:, t], c["E"]) for t in range(batch(i)[0].shape[1] - 1)]
            history = []
            for row in rows:
                var = c["pi_momentum"] * var + (1 - c["pi_momentum"]) * row
                history.append(var)
            variances.append(torch.stack(history))
        if by_errors:
            var = c["momentum"] * var + (1 - c["momentum"]) * found["per_expert_err"].detach()
            variances.append(pi())
        return loss

    adam(p, c, step)
    made |= {f"after5.{k}": t for k, t in p.items()} | {"output.train_loss": torch.stack(losses)}
    if by_misses:
        made |= {"output.pi_used": torch.stack([*used, pi()]), "output.pi_var": torch.stack(variances)}
    if by_errors:
        made["output.pi_history"] = torch.stack(variances)


def recreate(case, c, v):
    """Everything of a case that is not a parameter or an input, by name."""
    family, kind = case.split(".")[0], case.split(".")[1]
    variant = case.split(".")[2]
    made = {}
    if family in SPARSE:
        made |= SPARSE[family](c, v)
    elif family == "S4":
        made |= cosine(c, v, kind)
    elif case.startswith("A1.pitracker"):
        rows = torch.stack([misses(row, c["E"]) for row in v["input.targets"]])
        made["output.var"], made["output.pi"] = tracked(rows, c["pi_momentum"], c["pi_eps"], c["pi_var0"])
    elif case.startswith("A3.precision_tracker"):
        made["output.var"], made["output.precision"] = tracked(v["input.errors"], c["momentum"], c["eps"], float(c["var0"]))
    elif case.startswith("A3.routers"):
        for name, pi in (("affinity", 1), ("precision", v["input.pi"])):
            p = leaves(v)
            gates = softmax(lin(p, "W", v["input.x"]) * pi, -1)
            loss = -gates.gather(1, v["input.targets"][:, None]).log().mean()
            grads = torch.autograd.grad(loss, list(p.values()))
            made |= {f"output.{name}_gates": gates, f"output.{name}_loss": loss}
            made |= {f"grad.{name}.{k}": g for k, g in zip(p, grads)}
    elif case.startswith("A6.k99"):
        for name, cap in (("cap4", 4), ("cap8", 8), ("uncapped", np.inf)):
            made[f"output.k99_{name}"] = torch.tensor([coverage(p, cap) for p in c["p_exact"]])
        made["output.k99_lm"] = torch.tensor([coverage_lm(p) for p in c["p_exact"]])
    elif case.startswith("A6.metrics"):
        g, y = v["input.gates"], v["input.targets"]
        mass = g.gather(1, y[:, None]).mean()
        made |= {"output.p_correct": mass, "output.waste": 1 - mass}
        made["output.entropy"] = -(g * (g + 1e-9).log()).sum(1).mean()
        made["output.acc"] = (g.argmax(1) == y).double().mean()
    elif case.startswith("S0.lif"):
        made["output.beta"] = integrate(np.exp(-1 / c["tau"]), v["input.signal"].transpose(0, 1)).transpose(0, 1)
    elif family == "S0":
        p = leaves(v)
        out, loss = (skill if kind == "gate" else skill_mixture)(p, c, v)
        made |= {f"output.{name}": value for name, value in out.items()} | {"output.loss": loss}
        made |= {f"grad.{k}": g for k, g in zip(p, torch.autograd.grad(loss, list(p.values())))}
        if kind == "gate":
            grads = torch.autograd.grad(skill(p, c, v, detach=True)[1], list(p.values()))
            made |= {f"output.graddetached.{k}": g for k, g in zip(p, grads)}
    else:
        runs = {"A2": classifier(variant), "A3": mixture, "A4": anticipatory(variant), "A5": language_model(variant), "A7": composed}
        trained(runs.get(family, ablation), c, v, made)
    return made


def main():
    result, failed = {}, False
    for case, config, v, atol, rtol, data in stored():
        made, worst, count = recreate(case, config, v), 0.0, 0
        for name, want in v.items():
            if name.startswith(("param.", "input.")):
                continue
            if name not in made:
                print(f"{case}: {name} was not made", file=sys.stderr)
                failed = True
                continue
            if made[name].numel() != want.numel():
                print(f"{case}: {name} has {made[name].numel()} elements, not {want.numel()}", file=sys.stderr)
                failed = True
                continue
            got = made[name].detach().reshape(want.shape)
            if want.dtype == torch.int64:
                share = 0.0 if torch.equal(got.to(want.dtype), want) else float("inf")
            else:
                # Equal infinities, and two that are no numbers, differ by nothing.
                gap = torch.where((got == want) | (got.isnan() & want.isnan()), 0.0, (got - want).abs())
                share = (gap / (atol[name] + rtol * want.abs()).nan_to_num(nan=1).clamp(min=1e-300)).max().item()
            if not share <= 1:
                print(f"{case}: {name} is {share:.3g} times its tolerance away", file=sys.stderr)
                failed = True
            worst, count = max(worst, share), count + 1
        result[case] = {"sha256": hashlib.sha256(data).hexdigest(), "tensors": count, "worst": float(f"{worst:.3g}")}
    print(json.dumps({"torch": torch.__version__.split("+")[0], "cases": dict(sorted(result.items()))}, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

// gate: 32 dispatches on 756 words
// in: beta_raw: float32(16) at 608, W.weight: float32(4, 16) at 448, W.bias: float32(4) at 744, W_pred.weight: float32(4, 16) at 512, predictor.0.weight: float32(8, 32) at 0, predictor.0.bias: float32(8) at 704, predictor.2.weight: float32(16, 8) at 256, predictor.2.bias: float32(16) at 688, x: float32(2, 1, 16) at 384, state/memory: float32(2, 16) at 416
// out: weights: float32(2, 1, 4) at 32, indices: int32(2, 1, 2) at 56, margin: float32(2, 1) at 60, logits: float32(2, 1, 4) at 40, next: float32(2, 1, 4) at 48, state/memory: float32(2, 16) at 0

// 0. Min: Max, Min
// workgroups (1, 1, 1), at 576 384 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let item = group.x * 64u + lane;
  if (item < 32u) {
    let i = item / 2u;
    let i2 = item % 2u;
    arena[o0 + 2u * i + i2] = bitcast<u32>(min(max(bitcast<f32>(arena[o1 + i + 16u * i2]), (-999999986991104.0f)), 999999986991104.0f));
  }
}

// 1. memory/beta: Sigmoid
// workgroups (1, 1, 1), at 672 608 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

fn exp_f32(x: f32) -> f32 {
  let v0 = min(x, 89.0f);
  let v1 = max(v0, (-104.0f));
  let v2 = v1 * 1.4426950216293335f;
  let v3 = round(v2);
  let v4 = v3 * (-0.693359375f) + v1;
  let v5 = v3 * 0.00021219444170128554f + v4;
  let v6 = v5 * v5;
  let v7 = 0.0013926213141530752f * v5 + 0.008363203145563602f;
  let v8 = v7 * v5 + 0.041666556149721146f;
  let v9 = v8 * v5 + 0.16666576266288757f;
  let v10 = v9 * v5 + 0.5f;
  let v11 = v6 * v10 + v5;
  let v12 = v11 + 1.0f;
  let v13 = i32(v3);
  let v14 = v13 >> u32(1i);
  let v15 = v14 * i32(-1);
  let v16 = v13 + v15;
  let v17 = v14 + 127i;
  let v18 = v17 << u32(23i);
  let v19 = bitcast<f32>(v18);
  let v20 = v12 * v19;
  let v21 = v16 + 127i;
  let v22 = v21 << u32(23i);
  let v23 = bitcast<f32>(v22);
  let v24 = v20 * v23;
  return v24;
}

fn sigmoid_f32(x: f32) -> f32 {
  let v0 = abs(x);
  let v1 = -v0;
  let v2 = exp_f32(v1);
  let v3 = x < 0.0f;
  let v4 = select(1.0f, v2, v3);
  let v5 = 1.0f + v2;
  let v6 = v4 / v5;
  return v6;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let item = group.x * 64u + lane;
  if (item < 16u) {
    arena[o0 + item] = bitcast<u32>(sigmoid_f32(bitcast<f32>(arena[o1 + item])));
  }
}

// 2. memory/h: LinearScan
// workgroups (1, 1, 1), at 416 672 576 608
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let o3 = at[0].w;
  let item = group.x * 64u + lane;
  if (item < 32u) {
    let i = item / 2u;
    let i2 = item % 2u;
    var state = bitcast<f32>(arena[o0 + i + 16u * i2]);
    for (var l = 0u; l < 1u; l += 1u) {
      state = bitcast<f32>(arena[o1 + i]) * state + bitcast<f32>(arena[o2 + 2u * i + i2]);
      arena[o3 + 2u * i + i2] = bitcast<u32>(state);
    }
  }
}

// 3. anticipation/Concat: Concat
// workgroups (1, 1, 1), at 384 576 576 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 64u) {
    let i = item / 2u;
    let i2 = item % 2u;
    if (i < 16u) {
      arena[o0 + 2u * i + i2] = arena[o1 + 2u * i + i2];
    } else {
      arena[o0 + 2u * i + i2] = arena[o2 + 2u * i + i2];
    }
  }
}

// 4. anticipation/MatMul: MatMul (8, 32) x (32, 2)
// workgroups (1, 1, 1), at 0 384 576 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 16u) {
    let i = item / 2u;
    let i2 = item % 2u;
    var total = 0.0f;
    for (var l = 0u; l < 32u; l += 1u) {
      total += bitcast<f32>(arena[o0 + 32u * i + l]) * bitcast<f32>(arena[o1 + i2 + 2u * l]);
    }
    arena[o2 + 2u * i + i2] = bitcast<u32>(total);
  }
}

// 5. anticipation/Gelu/Mul: Add, Mul
// workgroups (1, 1, 1), at 384 576 704 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 16u) {
    let i = item / 2u;
    let i2 = item % 2u;
    arena[o0 + 2u * i + i2] = bitcast<u32>(((bitcast<f32>(arena[o1 + 2u * i + i2]) + bitcast<f32>(arena[o2 + i])) * 0.7071067690849304f));
  }
}

// 6. anticipation/Mul: Erf, Add, Mul, Mul
// workgroups (1, 1, 1), at 416 384 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

fn erf_f32(x: f32) -> f32 {
  let v0 = abs(x);
  let v1 = min(v0, 4.0f);
  let v2 = v1 * v1;
  let v3 = 0.00007875874871388078f * v2 + (-0.000801686430349946f);
  let v4 = v3 * v2 + 0.005189087241888046f;
  let v5 = v4 * v2 + (-0.02685421146452427f);
  let v6 = v5 * v2 + 0.11283594369888306f;
  let v7 = v6 * v2 + (-0.3761262595653534f);
  let v8 = v7 * v2 + 0.12837916612625122f;
  let v9 = x * v8 + x;
  let v10 = (-0.0000011660324616968865f) * v1 + 0.000036593010008800775f;
  let v11 = v10 * v1 + (-0.0005157455452717841f);
  let v12 = v11 * v1 + 0.004373922478407621f;
  let v13 = v12 * v1 + (-0.025308601558208466f);
  let v14 = v13 * v1 + 0.10809191316366196f;
  let v15 = v14 * v1 + 0.6339714527130127f;
  let v16 = v15 * v1 + 1.1289572715759277f;
  let v17 = v1 * v16;
  let v18 = -v17;
  let v19 = exp_f32(v18);
  let v20 = 1.0f - v19;
  let v21 = x < 0.0f;
  let v22 = -v20;
  let v23 = select(v20, v22, v21);
  let v24 = v1 < 1.0f;
  let v25 = select(v23, v9, v24);
  return v25;
}

fn exp_f32(x: f32) -> f32 {
  let v0 = min(x, 89.0f);
  let v1 = max(v0, (-104.0f));
  let v2 = v1 * 1.4426950216293335f;
  let v3 = round(v2);
  let v4 = v3 * (-0.693359375f) + v1;
  let v5 = v3 * 0.00021219444170128554f + v4;
  let v6 = v5 * v5;
  let v7 = 0.0013926213141530752f * v5 + 0.008363203145563602f;
  let v8 = v7 * v5 + 0.041666556149721146f;
  let v9 = v8 * v5 + 0.16666576266288757f;
  let v10 = v9 * v5 + 0.5f;
  let v11 = v6 * v10 + v5;
  let v12 = v11 + 1.0f;
  let v13 = i32(v3);
  let v14 = v13 >> u32(1i);
  let v15 = v14 * i32(-1);
  let v16 = v13 + v15;
  let v17 = v14 + 127i;
  let v18 = v17 << u32(23i);
  let v19 = bitcast<f32>(v18);
  let v20 = v12 * v19;
  let v21 = v16 + 127i;
  let v22 = v21 << u32(23i);
  let v23 = bitcast<f32>(v22);
  let v24 = v20 * v23;
  return v24;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let item = group.x * 64u + lane;
  if (item < 16u) {
    arena[o0 + item] = bitcast<u32>(((bitcast<f32>(arena[o1 + item]) * (erf_f32(bitcast<f32>(arena[o1 + item])) + 1.0f)) * 0.7071067690849304f));
  }
}

// 7. anticipation/MatMul_2: MatMul (16, 8) x (8, 2)
// workgroups (1, 1, 1), at 256 416 384 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 32u) {
    let i = item / 2u;
    let i2 = item % 2u;
    var total = 0.0f;
    for (var l = 0u; l < 8u; l += 1u) {
      total += bitcast<f32>(arena[o0 + 8u * i + l]) * bitcast<f32>(arena[o1 + i2 + 2u * l]);
    }
    arena[o2 + 2u * i + i2] = bitcast<u32>(total);
  }
}

// 8. anticipation/x_hat: Add
// workgroups (1, 1, 1), at 576 384 688 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 32u) {
    let i = item / 2u;
    let i2 = item % 2u;
    arena[o0 + 2u * i + i2] = bitcast<u32>((bitcast<f32>(arena[o1 + 2u * i + i2]) + bitcast<f32>(arena[o2 + i])));
  }
}

// 9. affinity/MatMul: MatMul (4, 16) x (16, 2)
// workgroups (1, 1, 1), at 448 608 384 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 8u) {
    let i = item / 2u;
    let i2 = item % 2u;
    var total = 0.0f;
    for (var l = 0u; l < 16u; l += 1u) {
      total += bitcast<f32>(arena[o0 + 16u * i + l]) * bitcast<f32>(arena[o1 + i2 + 2u * l]);
    }
    arena[o2 + 2u * i + i2] = bitcast<u32>(total);
  }
}

// 10. affinity/MatMul_2: MatMul (4, 16) x (16, 2)
// workgroups (1, 1, 1), at 512 576 392 0
// the kernel of 9

// 11. logits: Add, Add
// workgroups (1, 1, 1), at 712 384 744 392
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let o3 = at[0].w;
  let item = group.x * 64u + lane;
  if (item < 8u) {
    let i = item / 2u;
    let i2 = item % 2u;
    arena[o0 + 2u * i + i2] = bitcast<u32>(((bitcast<f32>(arena[o1 + 2u * i + i2]) + bitcast<f32>(arena[o2 + i])) + bitcast<f32>(arena[o3 + 2u * i + i2])));
  }
}

// 12. select/TopK: TopK
// workgroups (1, 1, 1), at 712 720 728 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

fn order_key(word: u32) -> i32 {
  let key = bitcast<i32>(word);
  if ((word << 1u) == 0u) {
    return 0i;
  }
  return select(key, key ^ 0x7fffffffi, key < 0i);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 2u) {
    var last = 0u;
    var last_key = 0i;
    for (var j = 0u; j < 3u; j += 1u) {
      var best = 0u;
      var best_key = 0i;
      var found = false;
      for (var l = 0u; l < 4u; l += 1u) {
        let key = order_key(arena[o0 + item + 2u * l]);
        let is_left = j == 0u || key < last_key || (key == last_key && l > last);
        if (is_left && (!found || key > best_key)) {
          best = l;
          best_key = key;
          found = true;
        }
      }
      arena[o1 + item + 2u * j] = arena[o0 + item + 2u * best];
      arena[o2 + item + 2u * j] = best;
      last = best;
      last_key = best_key;
    }
  }
}

// 13. select/ReduceSum: ReduceSum
// workgroups (1, 1, 1), at 728 748 384 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 8u) {
    let i = item / 2u;
    let i2 = item % 2u;
    var total = f32((bitcast<i32>(arena[o0 + i2]) == bitcast<i32>(arena[o1 + i])));
    for (var l = 1u; l < 2u; l += 1u) {
      total = total + f32((bitcast<i32>(arena[o0 + i2 + 2u * l]) == bitcast<i32>(arena[o1 + i])));
    }
    arena[o2 + 2u * i + i2] = bitcast<u32>(total);
  }
}

// 14. select/Mul: Sub, Exp, Mul
// workgroups (1, 1, 1), at 736 712 720 384
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

fn exp_f32(x: f32) -> f32 {
  let v0 = min(x, 89.0f);
  let v1 = max(v0, (-104.0f));
  let v2 = v1 * 1.4426950216293335f;
  let v3 = round(v2);
  let v4 = v3 * (-0.693359375f) + v1;
  let v5 = v3 * 0.00021219444170128554f + v4;
  let v6 = v5 * v5;
  let v7 = 0.0013926213141530752f * v5 + 0.008363203145563602f;
  let v8 = v7 * v5 + 0.041666556149721146f;
  let v9 = v8 * v5 + 0.16666576266288757f;
  let v10 = v9 * v5 + 0.5f;
  let v11 = v6 * v10 + v5;
  let v12 = v11 + 1.0f;
  let v13 = i32(v3);
  let v14 = v13 >> u32(1i);
  let v15 = v14 * i32(-1);
  let v16 = v13 + v15;
  let v17 = v14 + 127i;
  let v18 = v17 << u32(23i);
  let v19 = bitcast<f32>(v18);
  let v20 = v12 * v19;
  let v21 = v16 + 127i;
  let v22 = v21 << u32(23i);
  let v23 = bitcast<f32>(v22);
  let v24 = v20 * v23;
  return v24;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let o3 = at[0].w;
  let item = group.x * 64u + lane;
  if (item < 8u) {
    let i = item / 2u;
    let i2 = item % 2u;
    arena[o0 + 2u * i + i2] = bitcast<u32>((exp_f32((bitcast<f32>(arena[o1 + 2u * i + i2]) - bitcast<f32>(arena[o2 + i2]))) * bitcast<f32>(arena[o3 + 2u * i + i2])));
  }
}

// 15. select/ReduceSum_2: ReduceSum
// workgroups (1, 1, 1), at 736 752 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let item = group.x * 64u + lane;
  if (item < 2u) {
    var total = bitcast<f32>(arena[o0 + item]);
    for (var l = 1u; l < 4u; l += 1u) {
      total = total + bitcast<f32>(arena[o0 + item + 2u * l]);
    }
    arena[o1 + item] = bitcast<u32>(total);
  }
}

// 16. next/Add: Mul, Add
// workgroups (1, 1, 1), at 640 672 608 576
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let o3 = at[0].w;
  let item = group.x * 64u + lane;
  if (item < 32u) {
    let i = item / 2u;
    let i2 = item % 2u;
    arena[o0 + 2u * i + i2] = bitcast<u32>(((bitcast<f32>(arena[o1 + i]) * bitcast<f32>(arena[o2 + 2u * i + i2])) + bitcast<f32>(arena[o3 + 2u * i + i2])));
  }
}

// 17. next/anticipation/Concat: Concat
// workgroups (1, 1, 1), at 384 576 608 0
// the kernel of 3

// 18. next/anticipation/MatMul: MatMul (8, 32) x (32, 2)
// workgroups (1, 1, 1), at 0 384 576 0
// the kernel of 4

// 19. next/anticipation/Gelu/Mul: Add, Mul
// workgroups (1, 1, 1), at 0 576 704 0
// the kernel of 5

// 20. next/anticipation/Mul: Erf, Add, Mul, Mul
// workgroups (1, 1, 1), at 32 0 0 0
// the kernel of 6

// 21. next/anticipation/MatMul_2: MatMul (16, 8) x (8, 2)
// workgroups (1, 1, 1), at 256 32 0 0
// the kernel of 7

// 22. next/affinity/MatMul: MatMul (4, 16) x (16, 2)
// workgroups (1, 1, 1), at 448 640 64 0
// the kernel of 9

// 23. next/anticipation/x_hat: Add
// workgroups (1, 1, 1), at 32 0 688 0
// the kernel of 8

// 24. next/affinity/MatMul_2: MatMul (4, 16) x (16, 2)
// workgroups (1, 1, 1), at 512 32 0 0
// the kernel of 9

// 25. next/Softmax: Softmax
// workgroups (1, 1, 1), at 64 744 0 8
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

fn exp_f32(x: f32) -> f32 {
  let v0 = min(x, 89.0f);
  let v1 = max(v0, (-104.0f));
  let v2 = v1 * 1.4426950216293335f;
  let v3 = round(v2);
  let v4 = v3 * (-0.693359375f) + v1;
  let v5 = v3 * 0.00021219444170128554f + v4;
  let v6 = v5 * v5;
  let v7 = 0.0013926213141530752f * v5 + 0.008363203145563602f;
  let v8 = v7 * v5 + 0.041666556149721146f;
  let v9 = v8 * v5 + 0.16666576266288757f;
  let v10 = v9 * v5 + 0.5f;
  let v11 = v6 * v10 + v5;
  let v12 = v11 + 1.0f;
  let v13 = i32(v3);
  let v14 = v13 >> u32(1i);
  let v15 = v14 * i32(-1);
  let v16 = v13 + v15;
  let v17 = v14 + 127i;
  let v18 = v17 << u32(23i);
  let v19 = bitcast<f32>(v18);
  let v20 = v12 * v19;
  let v21 = v16 + 127i;
  let v22 = v21 << u32(23i);
  let v23 = bitcast<f32>(v22);
  let v24 = v20 * v23;
  return v24;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let o3 = at[0].w;
  let item = group.x * 64u + lane;
  if (item < 2u) {
    var peak = ((bitcast<f32>(arena[o0 + item]) + bitcast<f32>(arena[o1])) + bitcast<f32>(arena[o2 + item]));
    for (var l = 1u; l < 4u; l += 1u) {
      peak = max(peak, ((bitcast<f32>(arena[o0 + item + 2u * l]) + bitcast<f32>(arena[o1 + l])) + bitcast<f32>(arena[o2 + item + 2u * l])));
    }
    let e = exp_f32(((bitcast<f32>(arena[o0 + item]) + bitcast<f32>(arena[o1])) + bitcast<f32>(arena[o2 + item])) - peak);
    arena[o3 + item] = bitcast<u32>(e);
    var total = e;
    for (var l2 = 1u; l2 < 4u; l2 += 1u) {
      let e2 = exp_f32(((bitcast<f32>(arena[o0 + item + 2u * l2]) + bitcast<f32>(arena[o1 + l2])) + bitcast<f32>(arena[o2 + item + 2u * l2])) - peak);
      arena[o3 + item + 2u * l2] = bitcast<u32>(e2);
      total = total + e2;
    }
    for (var l3 = 0u; l3 < 4u; l3 += 1u) {
      arena[o3 + item + 2u * l3] = bitcast<u32>(bitcast<f32>(arena[o3 + item + 2u * l3]) / total);
    }
  }
}

// 26. Transpose_3: Div
// workgroups (1, 1, 1), at 32 736 752 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 8u) {
    let i = item / 4u;
    let i2 = item % 4u;
    arena[o0 + 4u * i + i2] = bitcast<u32>((bitcast<f32>(arena[o1 + i + 2u * i2]) / bitcast<f32>(arena[o2 + i])));
  }
}

// 27. Transpose_4: copy
// workgroups (1, 1, 1), at 56 728 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let item = group.x * 64u + lane;
  if (item < 4u) {
    let i = item / 2u;
    let i2 = item % 2u;
    arena[o0 + 2u * i + i2] = arena[o1 + i + 2u * i2];
  }
}

// 28. Transpose_5: Sub
// workgroups (1, 1, 1), at 60 722 724 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 2u) {
    arena[o0 + item] = bitcast<u32>((bitcast<f32>(arena[o1 + item]) - bitcast<f32>(arena[o2 + item])));
  }
}

// 29. Transpose_6: copy
// workgroups (1, 1, 1), at 40 712 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let item = group.x * 64u + lane;
  if (item < 8u) {
    let i = item / 4u;
    let i2 = item % 4u;
    arena[o0 + 4u * i + i2] = arena[o1 + i + 2u * i2];
  }
}

// 30. Transpose_7: copy
// workgroups (1, 1, 1), at 48 8 0 0
// the kernel of 29

// 31. Transpose_8: copy
// workgroups (1, 1, 1), at 0 608 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let item = group.x * 64u + lane;
  if (item < 32u) {
    let i = item / 16u;
    let i2 = item % 16u;
    arena[o0 + 16u * i + i2] = arena[o1 + i + 2u * i2];
  }
}

// leaky: 3 dispatches on 132 words
// in: a: float32(1, 9) at 56, b: float32(6, 9) at 0, h0: float32(6, 1) at 124
// out: h: float32(6, 9) at 56, last: float32(6, 1) at 0

// 0. Sigmoid: Sigmoid
// workgroups (1, 1, 1), at 112 56 0 0
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
  if (item < 9u) {
    arena[o0 + item] = bitcast<u32>(sigmoid_f32(bitcast<f32>(arena[o1 + item])));
  }
}

// 1. LinearScan: LinearScan
// workgroups (1, 1, 1), at 124 112 0 56
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let o3 = at[0].w;
  let item = group.x * 64u + lane;
  if (item < 6u) {
    var state = bitcast<f32>(arena[o0 + item]);
    for (var l = 0u; l < 9u; l += 1u) {
      state = bitcast<f32>(arena[o1 + l]) * state + (bitcast<f32>(arena[o2 + 9u * item + l]) * 0.5f);
      arena[o3 + 9u * item + l] = bitcast<u32>(state);
    }
  }
}

// 2. LinearScan_2: copy
// workgroups (1, 1, 1), at 0 64 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let item = group.x * 64u + lane;
  if (item < 6u) {
    arena[o0 + item] = arena[o1 + 9u * item];
  }
}

// chain: 2 dispatches on 32 words
// in: x: float32(3, 4) at 0, scale: float32(4) at 28, shift: float32(3, 1) at 12
// out: y: float32(3, 4) at 12

// 0. Exp: Exp
// workgroups (1, 1, 1), at 24 12 0 0
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
  let item = group.x * 64u + lane;
  if (item < 3u) {
    arena[o0 + item] = bitcast<u32>(exp_f32(bitcast<f32>(arena[o1 + item])));
  }
}

// 1. Max: Mul, Add, Max
// workgroups (1, 1, 1), at 12 0 28 24
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let o3 = at[0].w;
  let item = group.x * 64u + lane;
  if (item < 12u) {
    let i = item / 4u;
    let i2 = item % 4u;
    arena[o0 + 4u * i + i2] = bitcast<u32>(max(0.0f, ((bitcast<f32>(arena[o1 + 4u * i + i2]) * bitcast<f32>(arena[o2 + i2])) + bitcast<f32>(arena[o3 + i]))));
  }
}

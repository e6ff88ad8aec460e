// long softmax: 1 dispatches on 4000 words
// in: x: float32(2, 1000) at 0
// out: y: float32(2, 1000) at 2000

// 0. Softmax: Softmax
// workgroups (2, 1, 1), at 0 2000 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;
var<workgroup> partial: array<f32, 64>;
var<workgroup> partial2: array<f32, 64>;

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
  let i = group.x;
  var peak = bitcast<f32>(arena[o0 + 1000u * i + lane]);
  for (var l = lane + 64u; l < 1000u; l += 64u) {
    peak = max(peak, bitcast<f32>(arena[o0 + 1000u * i + l]));
  }
  partial[lane] = peak;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] = max(partial[lane], partial[lane + half]);
    }
    workgroupBarrier();
  }
  let peak2 = partial[0];
  let e = exp_f32(bitcast<f32>(arena[o0 + 1000u * i + lane]) - peak2);
  arena[o1 + 1000u * i + lane] = bitcast<u32>(e);
  var total = e;
  for (var l2 = lane + 64u; l2 < 1000u; l2 += 64u) {
    let e2 = exp_f32(bitcast<f32>(arena[o0 + 1000u * i + l2]) - peak2);
    arena[o1 + 1000u * i + l2] = bitcast<u32>(e2);
    total = total + e2;
  }
  partial2[lane] = total;
  workgroupBarrier();
  for (var half2 = 32u; half2 > 0u; half2 /= 2u) {
    if (lane < half2) {
      partial2[lane] = partial2[lane] + partial2[lane + half2];
    }
    workgroupBarrier();
  }
  let total2 = partial2[0];
  for (var l3 = lane; l3 < 1000u; l3 += 64u) {
    arena[o1 + 1000u * i + l3] = bitcast<u32>(bitcast<f32>(arena[o1 + 1000u * i + l3]) / total2);
  }
}

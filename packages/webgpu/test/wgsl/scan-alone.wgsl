// capped: 1 dispatches on 108 words
// in: u: float32(3, 2) at 64, xs: float32(3, 5, 2) at 0, leak: float32(2) at 96
// out: last: float32(3, 2) at 72, ys: float32(3, 5, 2) at 32

// 0. Scan, Scan_2: Scan
// workgroups (1, 1, 1), at 0 5 72 64 80 96 0 100 88 104 32 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 3>;

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

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let o3 = at[0].w;
  let o4 = at[1].x;
  let o5 = at[1].y;
  let o6 = at[1].z;
  let o7 = at[1].w;
  let o8 = at[2].x;
  let o9 = at[2].y;
  let o10 = at[2].z;
  let row = group.x;
  if (o0 == 0u) {
    if (lane < 6u) {
      arena[o2 + lane] = arena[o3 + lane];
    }
    storageBarrier();
  }
  for (var step_at = o0; step_at < o1; step_at += 1u) {
    let t0 = step_at;
    if (lane < 6u) {
      let i = lane / 2u;
      let i2 = lane % 2u;
      arena[o4 + 2u * i + i2] = bitcast<u32>(min(((bitcast<f32>(arena[o2 + 2u * i + i2]) * bitcast<f32>(arena[o5 + i2])) + bitcast<f32>(arena[o6 + 2u * t0 + 10u * i + i2])), 1.0f));
    }
    storageBarrier();
    if (lane < 3u) {
      var total = bitcast<f32>(arena[o4 + 2u * lane]);
      for (var l = 1u; l < 2u; l += 1u) {
        total = max(total, bitcast<f32>(arena[o4 + 2u * lane + l]));
      }
      arena[o7 + lane] = bitcast<u32>(total);
    }
    storageBarrier();
    if (lane < 6u) {
      let i3 = lane / 2u;
      let i4 = lane % 2u;
      arena[o8 + 2u * i3 + i4] = bitcast<u32>(exp_f32((bitcast<f32>(arena[o4 + 2u * i3 + i4]) - bitcast<f32>(arena[o7 + i3]))));
    }
    storageBarrier();
    if (lane < 3u) {
      var total2 = bitcast<f32>(arena[o8 + 2u * lane]);
      for (var l2 = 1u; l2 < 2u; l2 += 1u) {
        total2 = total2 + bitcast<f32>(arena[o8 + 2u * lane + l2]);
      }
      arena[o9 + lane] = bitcast<u32>(total2);
    }
    storageBarrier();
    if (lane < 6u) {
      let i5 = lane / 2u;
      let i6 = lane % 2u;
      arena[o10 + 2u * t0 + 10u * i5 + i6] = bitcast<u32>((bitcast<f32>(arena[o8 + 2u * i5 + i6]) / bitcast<f32>(arena[o9 + i5])));
    }
    if (lane < 6u) {
      arena[o2 + lane] = arena[o4 + lane];
    }
    storageBarrier();
  }
}

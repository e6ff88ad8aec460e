// tiled product: 1 dispatches on 46392 words
// in: x: float32(2, 400, 24) at 26400, w: float32(24, 33) at 45600
// out: y: float32(2, 400, 33) at 0

// 0. MatMul: MatMul (2, 400, 24) x (24, 33)
// workgroups (52, 1, 1), at 26400 45600 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;
var<workgroup> partial: array<f32, 256>;
var<workgroup> partial2: array<f32, 256>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let batch = group.x / 26u;
  let tile = group.x % 26u;
  let top = (tile / 2u) * 32u;
  let left = (tile % 2u) * 32u;
  let x = lane % 8u;
  let y = lane / 8u;
  var total0 = vec4<f32>();
  var total1 = vec4<f32>();
  var total2 = vec4<f32>();
  var total3 = vec4<f32>();
  for (var d = 0u; d < 24u; d += 8u) {
    for (var e = lane; e < 256u; e += 64u) {
      let p = e / 8u;
      let q = e % 8u;
      let u = top + p;
      let v = d + q;
      partial[q * 32u + p] = select(0.0f, bitcast<f32>(arena[o0 + 9600u * batch + 24u * u + v]), u < 400u && v < 24u);
      let p2 = e % 32u;
      let q2 = e / 32u;
      let u2 = left + p2;
      let v2 = d + q2;
      partial2[q2 * 32u + p2] = select(0.0f, bitcast<f32>(arena[o1 + u2 + 33u * v2]), u2 < 33u && v2 < 24u);
    }
    workgroupBarrier();
    for (var q3 = 0u; q3 < 8u; q3 += 1u) {
      let s = q3 * 32u + y * 4u;
      let f = vec4<f32>(partial[s + 0u], partial[s + 1u], partial[s + 2u], partial[s + 3u]);
      let s2 = q3 * 32u + x * 4u;
      let f2 = vec4<f32>(partial2[s2 + 0u], partial2[s2 + 1u], partial2[s2 + 2u], partial2[s2 + 3u]);
      total0 += f[0] * f2;
      total1 += f[1] * f2;
      total2 += f[2] * f2;
      total3 += f[3] * f2;
    }
    workgroupBarrier();
  }
  let r = top + y * 4u;
  let c = left + x * 4u;
  for (var j = 0u; j < 4u; j += 1u) {
    if (r + 0u < 400u && c + j < 33u) {
      arena[o2 + 13200u * batch + 33u * (r + 0u) + (c + j)] = bitcast<u32>(total0[j]);
    }
  }
  for (var j2 = 0u; j2 < 4u; j2 += 1u) {
    if (r + 1u < 400u && c + j2 < 33u) {
      arena[o2 + 13200u * batch + 33u * (r + 1u) + (c + j2)] = bitcast<u32>(total1[j2]);
    }
  }
  for (var j3 = 0u; j3 < 4u; j3 += 1u) {
    if (r + 2u < 400u && c + j3 < 33u) {
      arena[o2 + 13200u * batch + 33u * (r + 2u) + (c + j3)] = bitcast<u32>(total2[j3]);
    }
  }
  for (var j4 = 0u; j4 < 4u; j4 += 1u) {
    if (r + 3u < 400u && c + j4 < 33u) {
      arena[o2 + 13200u * batch + 33u * (r + 3u) + (c + j4)] = bitcast<u32>(total3[j4]);
    }
  }
}

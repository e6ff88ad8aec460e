// long product: 1 dispatches on 27020 words
// in: x: float32(4, 3000) at 15000, w: float32(3000, 5) at 0
// out: y: float32(4, 5) at 27000

// 0. MatMul: MatMul (4, 3000) x (3000, 5)
// workgroups (20, 1, 1), at 27000 15000 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;
var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let i = group.x / 5u;
  let i2 = group.x % 5u;
  var total = bitcast<f32>(arena[o1 + 3000u * i + lane]) * bitcast<f32>(arena[o2 + i2 + 5u * lane]);
  for (var l = lane + 64u; l < 3000u; l += 64u) {
    total = total + bitcast<f32>(arena[o1 + 3000u * i + l]) * bitcast<f32>(arena[o2 + i2 + 5u * l]);
  }
  partial[lane] = total;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] = partial[lane] + partial[lane + half];
    }
    workgroupBarrier();
  }
  let total2 = partial[0];
  arena[o0 + 5u * i + i2] = bitcast<u32>(total2);
}

// small product: 1 dispatches on 68 words
// in: x: float32(3, 6) at 32, w: float32(5, 6) at 0
// out: y: float32(3, 5) at 52

// 0. MatMul: MatMul (3, 6) x (6, 5)
// workgroups (1, 1, 1), at 32 0 52 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 15u) {
    let i = item / 5u;
    let i2 = item % 5u;
    var total = 0.0f;
    for (var l = 0u; l < 6u; l += 1u) {
      total += bitcast<f32>(arena[o0 + 6u * i + l]) * bitcast<f32>(arena[o1 + 6u * i2 + l]);
    }
    arena[o2 + 5u * i + i2] = bitcast<u32>(total);
  }
}

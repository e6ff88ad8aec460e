// indices: 2 dispatches on 60 words
// in: x: float32(5, 3) at 0, at: int32(4) at 56, by: float32(4, 3) at 44
// out: rows: float32(4, 3) at 32, sums: float32(5, 3) at 16

// 0. Gather: Gather
// workgroups (1, 1, 1), at 56 32 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

fn wrap_index(index: i32, length: i32) -> u32 {
  return u32(max(min(select(index, index + length, index < 0i), length - 1i), 0i));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 12u) {
    let i = item / 3u;
    let i2 = item % 3u;
    let row_at = wrap_index(bitcast<i32>(arena[o0 + i]), 5i);
    arena[o1 + 3u * i + i2] = arena[o2 + i2 + 3u * row_at];
  }
}

// 1. ScatterND: ScatterND
// workgroups (1, 1, 1), at 56 44 0 16
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

fn from_end(index: i32, length: i32) -> i32 {
  return select(index, index + length, index < 0i);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let o3 = at[0].w;
  let item = group.x * 64u + lane;
  if (item < 15u) {
    let i = item / 3u;
    let i2 = item % 3u;
    let own = i32(i);
    var total = select(0.0f, bitcast<f32>(arena[o1 + i2]), from_end(bitcast<i32>(arena[o0]), 5i) == own);
    for (var l = 1u; l < 4u; l += 1u) {
      total = total + select(0.0f, bitcast<f32>(arena[o1 + i2 + 3u * l]), from_end(bitcast<i32>(arena[o0 + l]), 5i) == own);
    }
    arena[o3 + 3u * i + i2] = bitcast<u32>(bitcast<f32>(arena[o2 + 3u * i + i2]) + total);
  }
}

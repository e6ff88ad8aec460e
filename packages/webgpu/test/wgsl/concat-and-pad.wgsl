// edges: 2 dispatches on 40 words
// in: x: float32(2, 3) at 12, y: float32(2, 5) at 0
// out: z: float32(2, 11) at 0

// 0. Concat: Concat
// workgroups (1, 1, 1), at 24 12 4294967293 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 16u) {
    let i = item / 8u;
    let i2 = item % 8u;
    if (i2 < 3u) {
      arena[o0 + 8u * i + i2] = arena[o1 + 3u * i + i2];
    } else {
      arena[o0 + 8u * i + i2] = bitcast<u32>((-bitcast<f32>(arena[o2 + 5u * i + i2])));
    }
  }
}

// 1. Pad: Pad
// workgroups (1, 1, 1), at 0 22 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let item = group.x * 64u + lane;
  if (item < 22u) {
    let i = item / 11u;
    let i2 = item % 11u;
    if (i2 >= 2u && i2 < 10u) {
      arena[o0 + 11u * i + i2] = arena[o1 + 8u * i + i2];
    } else {
      arena[o0 + 11u * i + i2] = bitcast<u32>(7.0f);
    }
  }
}

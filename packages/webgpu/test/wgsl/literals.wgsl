// literals: 2 dispatches on 20 words
// in: x: float32(2) at 12, n: int32(2) at 16
// out: y: float32(10) at 0, m: int32(2) at 12

// 0. Concat: Concat
// workgroups (1, 1, 1), at 0 12 10 8 6 4 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 2>;

fn float_of(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let o3 = at[0].w;
  let o4 = at[1].x;
  let o5 = at[1].y;
  let item = group.x * 64u + lane;
  if (item < 10u) {
    if (item < 2u) {
      arena[o0 + item] = bitcast<u32>((bitcast<f32>(arena[o1 + item]) * float_of(0x7f800000u)));
    } else if (item < 4u) {
      arena[o0 + item] = bitcast<u32>((bitcast<f32>(arena[o2 + item]) * float_of(0x80000000u)));
    } else if (item < 6u) {
      arena[o0 + item] = bitcast<u32>((bitcast<f32>(arena[o3 + item]) * float_of(0x000116c2u)));
    } else if (item < 8u) {
      arena[o0 + item] = bitcast<u32>((bitcast<f32>(arena[o4 + item]) * 9.999999680285692e+37f));
    } else {
      arena[o0 + item] = bitcast<u32>((bitcast<f32>(arena[o5 + item]) * (-0.10000000149011612f)));
    }
  }
}

// 1. Div: Div
// workgroups (1, 1, 1), at 12 16 0 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

fn divide_i32(a: i32, b: i32) -> i32 {
  if (b == 0i) {
    return 0i;
  }
  if (b == i32(-1)) {
    return -a;
  }
  return a / b;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let item = group.x * 64u + lane;
  if (item < 2u) {
    arena[o0 + item] = bitcast<u32>(divide_i32(bitcast<i32>(arena[o1 + item]), i32(-2147483648)));
  }
}

// top: 1 dispatches on 100 words
// in: x: float32(6, 10) at 0
// out: values: float32(6, 3) at 60, indices: int32(6, 3) at 80

// 0. TopK: TopK
// workgroups (1, 1, 1), at 0 60 80 0
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;

fn order_key(word: u32) -> i32 {
  let key = bitcast<i32>(word);
  if ((word << 1u) == 0u) {
    return 0i;
  }
  return select(key, key ^ 0x7fffffffi, key < 0i);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let o0 = at[0].x;
  let o1 = at[0].y;
  let o2 = at[0].z;
  let item = group.x * 64u + lane;
  if (item < 6u) {
    var last = 0u;
    var last_key = 0i;
    for (var j = 0u; j < 3u; j += 1u) {
      var best = 0u;
      var best_key = 0i;
      var found = false;
      for (var l = 0u; l < 10u; l += 1u) {
        let key = order_key(arena[o0 + 10u * item + l]);
        let is_left = j == 0u || key < last_key || (key == last_key && l > last);
        if (is_left && (!found || key > best_key)) {
          best = l;
          best_key = key;
          found = true;
        }
      }
      arena[o1 + 3u * item + j] = arena[o0 + 10u * item + best];
      arena[o2 + 3u * item + j] = best;
      last = best;
      last_key = best_key;
    }
  }
}

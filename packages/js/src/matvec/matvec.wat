;; out = W x for a matrix that is packed as pack.ts does it. Each 64-bit lane is the sum of one row, over the columns in
;; order: the same operations as one row at a time, so the bits are the same. Compiled into matvec-wasm.ts by
;; `node tools/scripts/generate-matvec-wasm.mjs`.
;;
;; 32 MiB that never grow: views of the memory stay what they are.
(module
  (memory (export "memory") 512 512)

  ;; Addresses of x (k floats), of W (doubles) and of out (floats, room for m rounded up to whole panels).
  ;; Panels of 16 rows, and one of 8 where no more than 8 are left.
  (func (export "matvec")
    (param $x i32) (param $w i32) (param $out i32) (param $k i32) (param $m i32)
    (local $end i32) (local $p i32) (local $value v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $s4 v128) (local $s5 v128) (local $s6 v128) (local $s7 v128)
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $k) (i32.const 2))))

    (block $few
      (loop $panels
        (br_if $few (i32.le_s (local.get $m) (i32.const 8)))
        (local.set $s0 (v128.const i64x2 0 0))
        (local.set $s1 (v128.const i64x2 0 0))
        (local.set $s2 (v128.const i64x2 0 0))
        (local.set $s3 (v128.const i64x2 0 0))
        (local.set $s4 (v128.const i64x2 0 0))
        (local.set $s5 (v128.const i64x2 0 0))
        (local.set $s6 (v128.const i64x2 0 0))
        (local.set $s7 (v128.const i64x2 0 0))
        (local.set $p (local.get $x))
        (loop $columns
          (local.set $value (f64x2.promote_low_f32x4 (v128.load32_splat (local.get $p))))
          (local.set $s0 (f64x2.add (local.get $s0) (f64x2.mul (v128.load (local.get $w)) (local.get $value))))
          (local.set $s1 (f64x2.add (local.get $s1) (f64x2.mul (v128.load offset=16 (local.get $w)) (local.get $value))))
          (local.set $s2 (f64x2.add (local.get $s2) (f64x2.mul (v128.load offset=32 (local.get $w)) (local.get $value))))
          (local.set $s3 (f64x2.add (local.get $s3) (f64x2.mul (v128.load offset=48 (local.get $w)) (local.get $value))))
          (local.set $s4 (f64x2.add (local.get $s4) (f64x2.mul (v128.load offset=64 (local.get $w)) (local.get $value))))
          (local.set $s5 (f64x2.add (local.get $s5) (f64x2.mul (v128.load offset=80 (local.get $w)) (local.get $value))))
          (local.set $s6 (f64x2.add (local.get $s6) (f64x2.mul (v128.load offset=96 (local.get $w)) (local.get $value))))
          (local.set $s7 (f64x2.add (local.get $s7) (f64x2.mul (v128.load offset=112 (local.get $w)) (local.get $value))))
          (local.set $w (i32.add (local.get $w) (i32.const 128)))
          (br_if $columns
            (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 4))) (local.get $end))))
        (v128.store64_lane 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s0)))
        (v128.store64_lane offset=8 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s1)))
        (v128.store64_lane offset=16 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s2)))
        (v128.store64_lane offset=24 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s3)))
        (v128.store64_lane offset=32 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s4)))
        (v128.store64_lane offset=40 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s5)))
        (v128.store64_lane offset=48 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s6)))
        (v128.store64_lane offset=56 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s7)))
        (local.set $out (i32.add (local.get $out) (i32.const 64)))
        (local.set $m (i32.sub (local.get $m) (i32.const 16)))
        (br $panels)))

    (if (i32.gt_s (local.get $m) (i32.const 0))
      (then
        (local.set $s0 (v128.const i64x2 0 0))
        (local.set $s1 (v128.const i64x2 0 0))
        (local.set $s2 (v128.const i64x2 0 0))
        (local.set $s3 (v128.const i64x2 0 0))
        (local.set $p (local.get $x))
        (loop $columns
          (local.set $value (f64x2.promote_low_f32x4 (v128.load32_splat (local.get $p))))
          (local.set $s0 (f64x2.add (local.get $s0) (f64x2.mul (v128.load (local.get $w)) (local.get $value))))
          (local.set $s1 (f64x2.add (local.get $s1) (f64x2.mul (v128.load offset=16 (local.get $w)) (local.get $value))))
          (local.set $s2 (f64x2.add (local.get $s2) (f64x2.mul (v128.load offset=32 (local.get $w)) (local.get $value))))
          (local.set $s3 (f64x2.add (local.get $s3) (f64x2.mul (v128.load offset=48 (local.get $w)) (local.get $value))))
          (local.set $w (i32.add (local.get $w) (i32.const 64)))
          (br_if $columns
            (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 4))) (local.get $end))))
        (v128.store64_lane 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s0)))
        (v128.store64_lane offset=8 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s1)))
        (v128.store64_lane offset=16 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s2)))
        (v128.store64_lane offset=24 0 (local.get $out) (f32x4.demote_f64x2_zero (local.get $s3)))))))

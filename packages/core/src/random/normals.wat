;; `fillNormals` of values.ts with SIMD. That function is the definition: here are the same operations in the same
;; order, and no fused or relaxed ones, so the bytes are the same. Compiled into normals-wasm.ts by
;; `node tools/scripts/generate-random-wasm.mjs`.
;;
;; One page of memory: the table of normal-table.ts from 0, up to 2048 values from 32768, their words from 49152.
(module
  (memory (export "memory") 1)

  ;; Writes `count` values, 1 to 2048, as floats if `single`, else as doubles. Words come in fours and values in twos:
  ;; a few more than `count` may be written, never beyond room for 2048.
  ;;
  ;; Two loops, because one turn of both is a long chain of operations, of which a processor cannot look far enough
  ;; ahead to overlap many.
  (func (export "fill")
    (param $w i32) (param $key i32) (param $count i32) (param $single i32) (param $mean f64) (param $std f64)
    (local $at i32) (local $end i32) (local $row0 i32) (local $row1 i32)
    (local $input v128) (local $keys v128) (local $x v128)
    (local $d v128) (local $rows v128) (local $low0 v128) (local $low1 v128) (local $high0 v128) (local $high1 v128)
    (local $value v128) (local $means v128) (local $stds v128)
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))

    ;; `mix`, four counters a turn. Their inputs lie 0 to 3 times STEP after $w, and a turn goes 4 times STEP on.
    (local.set $keys (i32x4.splat (local.get $key)))
    (local.set $input
      (i32x4.add (i32x4.splat (local.get $w)) (v128.const i32x4 0 -1640531527 1013904242 -626627285)))
    (loop $hash
      (local.set $x (v128.xor (local.get $input) (i32x4.shr_u (local.get $input) (i32.const 17))))
      (local.set $x (i32x4.mul (local.get $x) (v128.const i32x4 -306555717 -306555717 -306555717 -306555717)))
      (local.set $x (v128.xor (local.get $x) (local.get $keys)))
      (local.set $x (v128.xor (local.get $x) (i32x4.shr_u (local.get $x) (i32.const 11))))
      (local.set $x (i32x4.mul (local.get $x) (v128.const i32x4 -1404298415 -1404298415 -1404298415 -1404298415)))
      (local.set $x (v128.xor (local.get $x) (local.get $input)))
      (local.set $x (v128.xor (local.get $x) (i32x4.shr_u (local.get $x) (i32.const 15))))
      (local.set $x (i32x4.mul (local.get $x) (v128.const i32x4 830770091 830770091 830770091 830770091)))
      (local.set $x (v128.xor (local.get $x) (i32x4.shr_u (local.get $x) (i32.const 14))))
      (v128.store offset=49152 (local.get $at) (local.get $x))
      (local.set $input
        (i32x4.add (local.get $input) (v128.const i32x4 2027808484 2027808484 2027808484 2027808484)))
      (br_if $hash (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))

    ;; `mean + std * normalOf(word)`, two words a turn. $at is the offset of a word, and of a float.
    (local.set $means (f64x2.splat (local.get $mean)))
    (local.set $stds (f64x2.splat (local.get $std)))
    (local.set $at (i32.const 0))
    (loop $evaluate
      (local.set $d
        (f64x2.add
          (f64x2.convert_low_i32x4_s (v128.load64_zero offset=49152 (local.get $at)))
          (v128.const f64x2 0.5 0.5)))
      ;; Byte offsets of the rows: `rowOf`, times the 8 bytes of a coefficient.
      (local.set $rows
        (v128.or
          (v128.and (i64x2.shr_u (local.get $d) (i32.const 43)) (v128.const i64x2 0x3fe0 0x3fe0))
          (v128.and (i64x2.shr_u (local.get $d) (i32.const 49)) (v128.const i64x2 0x4000 0x4000))))
      (local.set $row0 (i32x4.extract_lane 0 (local.get $rows)))
      (local.set $row1 (i32x4.extract_lane 2 (local.get $rows)))
      (local.set $low0 (v128.load (local.get $row0)))
      (local.set $low1 (v128.load (local.get $row1)))
      (local.set $high0 (v128.load offset=16 (local.get $row0)))
      (local.set $high1 (v128.load offset=16 (local.get $row1)))
      ;; The shuffles turn two rows into pairs of one coefficient each: 3, 2, 1, 0.
      (local.set $value
        (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $high0) (local.get $high1)))
      (local.set $value
        (f64x2.add
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $high0) (local.get $high1))
          (f64x2.mul (local.get $d) (local.get $value))))
      (local.set $value
        (f64x2.add
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $low0) (local.get $low1))
          (f64x2.mul (local.get $d) (local.get $value))))
      (local.set $value
        (f64x2.add
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $low0) (local.get $low1))
          (f64x2.mul (local.get $d) (local.get $value))))
      (local.set $value (f64x2.add (local.get $means) (f64x2.mul (local.get $stds) (local.get $value))))
      (if (local.get $single)
        (then (v128.store64_lane offset=32768 0 (local.get $at) (f32x4.demote_f64x2_zero (local.get $value))))
        (else (v128.store offset=32768 (i32.shl (local.get $at) (i32.const 1)) (local.get $value))))
      (br_if $evaluate (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (local.get $end))))))

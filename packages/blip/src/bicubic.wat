;; The two passes of bicubic.ts, over rows of bytes. `npm run wasm` compiles this file to bicubic.wasm.
;;
;; A pass adds up products of bytes and weights of 22 bits and a sign. The instruction that adds products takes factors of
;; 16 bits: i32x4.dot_i16x8_s, four sums of two products each. So a weight comes in two parts, weight = upper * 2^15 + lower
;; with 0 <= lower < 2^15, each part has a sum of its own, and the result is upper sum * 2^15 + lower sum. That is exact: all
;; of it is arithmetic modulo 2^32, whatever overflows on the way, and the result, below 255 * 2^22 * 1.3, lies between -2^31
;; and 2^31. Then it is rounded (the lower sum begins at one half, 2^21), shifted and clamped to a byte.
;;
;; Weights lie in pairs of taps, 8 bytes a pair: the upper parts of both, the lower parts of both, 16 bits each. Where an
;; output has fewer taps its weights are 0, and what is read for them does not matter.
(module
  (memory (export "memory") 1)

  ;; Four rows at once: of each come `columns` pixels of three bytes, and one byte more is written. Up to 16 bytes behind a
  ;; source row are read.
  (func (export "horizontal")
    (param $source i32)
    (param $sourceStride i32)  ;; bytes from a row to the next
    (param $firsts i32)        ;; for each column an i32: at which byte of a row its taps begin
    (param $weights i32)       ;; for each column `weightBytes`
    (param $weightBytes i32)   ;; a multiple of 16: four taps are done at a time
    (param $columns i32)
    (param $target i32)
    (param $targetStride i32)
    (local $firstsEnd i32) (local $weightsEnd i32)
    (local $pixel0 i32) (local $pixel1 i32) (local $pixel2 i32) (local $pixel3 i32)
    (local $row1 i32) (local $row2 i32) (local $row3 i32)
    (local $half v128) (local $pairs01 v128) (local $pairs23 v128)
    (local $bytes v128) (local $taps01 v128) (local $taps23 v128)
    (local $upperWeights01 v128) (local $lowerWeights01 v128) (local $upperWeights23 v128) (local $lowerWeights23 v128)
    (local $upper0 v128) (local $upper1 v128) (local $upper2 v128) (local $upper3 v128)
    (local $lower0 v128) (local $lower1 v128) (local $lower2 v128) (local $lower3 v128)

    ;; Of four RGB pixels r0 g0 b0 r1 g1 b1 r2 ...: their channels in pairs as 16 bits, r0 r1 g0 g1 b0 b1 0 0, and the same of
    ;; pixels 2 and 3. Index 255 gives a zero.
    (local.set $pairs01 (v128.const i8x16 0 255 3 255 1 255 4 255 2 255 5 255 255 255 255 255))
    (local.set $pairs23 (v128.const i8x16 6 255 9 255 7 255 10 255 8 255 11 255 255 255 255 255))
    (local.set $half (i32x4.splat (i32.const 0x200000)))
    (local.set $firstsEnd (i32.add (local.get $firsts) (i32.shl (local.get $columns) (i32.const 2))))
    (loop $column
      (local.set $pixel0 (i32.add (local.get $source) (i32.load (local.get $firsts))))
      (local.set $pixel1 (i32.add (local.get $pixel0) (local.get $sourceStride)))
      (local.set $pixel2 (i32.add (local.get $pixel1) (local.get $sourceStride)))
      (local.set $pixel3 (i32.add (local.get $pixel2) (local.get $sourceStride)))
      (local.set $upper0 (v128.const i64x2 0 0))
      (local.set $upper1 (v128.const i64x2 0 0))
      (local.set $upper2 (v128.const i64x2 0 0))
      (local.set $upper3 (v128.const i64x2 0 0))
      (local.set $lower0 (local.get $half))
      (local.set $lower1 (local.get $half))
      (local.set $lower2 (local.get $half))
      (local.set $lower3 (local.get $half))
      (local.set $weightsEnd (i32.add (local.get $weights) (local.get $weightBytes)))
      (loop $fourTaps
        (local.set $upperWeights01 (v128.load32_splat (local.get $weights)))
        (local.set $lowerWeights01 (v128.load32_splat offset=4 (local.get $weights)))
        (local.set $upperWeights23 (v128.load32_splat offset=8 (local.get $weights)))
        (local.set $lowerWeights23 (v128.load32_splat offset=12 (local.get $weights)))
        (local.set $bytes (v128.load (local.get $pixel0)))
        (local.set $taps01 (i8x16.swizzle (local.get $bytes) (local.get $pairs01)))
        (local.set $taps23 (i8x16.swizzle (local.get $bytes) (local.get $pairs23)))
        (local.set $upper0 (i32x4.add (local.get $upper0) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $taps01) (local.get $upperWeights01))
          (i32x4.dot_i16x8_s (local.get $taps23) (local.get $upperWeights23)))))
        (local.set $lower0 (i32x4.add (local.get $lower0) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $taps01) (local.get $lowerWeights01))
          (i32x4.dot_i16x8_s (local.get $taps23) (local.get $lowerWeights23)))))
        (local.set $bytes (v128.load (local.get $pixel1)))
        (local.set $taps01 (i8x16.swizzle (local.get $bytes) (local.get $pairs01)))
        (local.set $taps23 (i8x16.swizzle (local.get $bytes) (local.get $pairs23)))
        (local.set $upper1 (i32x4.add (local.get $upper1) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $taps01) (local.get $upperWeights01))
          (i32x4.dot_i16x8_s (local.get $taps23) (local.get $upperWeights23)))))
        (local.set $lower1 (i32x4.add (local.get $lower1) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $taps01) (local.get $lowerWeights01))
          (i32x4.dot_i16x8_s (local.get $taps23) (local.get $lowerWeights23)))))
        (local.set $bytes (v128.load (local.get $pixel2)))
        (local.set $taps01 (i8x16.swizzle (local.get $bytes) (local.get $pairs01)))
        (local.set $taps23 (i8x16.swizzle (local.get $bytes) (local.get $pairs23)))
        (local.set $upper2 (i32x4.add (local.get $upper2) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $taps01) (local.get $upperWeights01))
          (i32x4.dot_i16x8_s (local.get $taps23) (local.get $upperWeights23)))))
        (local.set $lower2 (i32x4.add (local.get $lower2) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $taps01) (local.get $lowerWeights01))
          (i32x4.dot_i16x8_s (local.get $taps23) (local.get $lowerWeights23)))))
        (local.set $bytes (v128.load (local.get $pixel3)))
        (local.set $taps01 (i8x16.swizzle (local.get $bytes) (local.get $pairs01)))
        (local.set $taps23 (i8x16.swizzle (local.get $bytes) (local.get $pairs23)))
        (local.set $upper3 (i32x4.add (local.get $upper3) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $taps01) (local.get $upperWeights01))
          (i32x4.dot_i16x8_s (local.get $taps23) (local.get $upperWeights23)))))
        (local.set $lower3 (i32x4.add (local.get $lower3) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $taps01) (local.get $lowerWeights01))
          (i32x4.dot_i16x8_s (local.get $taps23) (local.get $lowerWeights23)))))
        (local.set $pixel0 (i32.add (local.get $pixel0) (i32.const 12)))
        (local.set $pixel1 (i32.add (local.get $pixel1) (i32.const 12)))
        (local.set $pixel2 (i32.add (local.get $pixel2) (i32.const 12)))
        (local.set $pixel3 (i32.add (local.get $pixel3) (i32.const 12)))
        (local.set $weights (i32.add (local.get $weights) (i32.const 16)))
        (br_if $fourTaps (i32.lt_u (local.get $weights) (local.get $weightsEnd))))
      ;; Of every row one pixel, as 4 bytes: the fourth, a zero, is written over by the next column.
      (local.set $bytes
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $upper0) (i32.const 15)) (local.get $lower0)) (i32.const 22))
            (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $upper1) (i32.const 15)) (local.get $lower1)) (i32.const 22)))
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $upper2) (i32.const 15)) (local.get $lower2)) (i32.const 22))
            (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $upper3) (i32.const 15)) (local.get $lower3)) (i32.const 22)))))
      (local.set $row1 (i32.add (local.get $target) (local.get $targetStride)))
      (local.set $row2 (i32.add (local.get $row1) (local.get $targetStride)))
      (local.set $row3 (i32.add (local.get $row2) (local.get $targetStride)))
      (v128.store32_lane 0 (local.get $target) (local.get $bytes))
      (v128.store32_lane 1 (local.get $row1) (local.get $bytes))
      (v128.store32_lane 2 (local.get $row2) (local.get $bytes))
      (v128.store32_lane 3 (local.get $row3) (local.get $bytes))
      (local.set $target (i32.add (local.get $target) (i32.const 3)))
      (local.set $firsts (i32.add (local.get $firsts) (i32.const 4)))
      (br_if $column (i32.lt_u (local.get $firsts) (local.get $firstsEnd)))))

  ;; One row of `bytes` bytes, a multiple of 16; as many are read of each source row.
  (func (export "vertical")
    (param $source i32)        ;; the row of the first tap
    (param $sourceStride i32)  ;; bytes from a row to the next
    (param $weights i32)
    (param $weightBytes i32)   ;; a multiple of 8: two taps are done at a time
    (param $bytes i32)
    (param $target i32)
    (local $sourceEnd i32) (local $weight i32) (local $weightsEnd i32) (local $above i32) (local $below i32)
    (local $half v128) (local $upperWeights v128) (local $lowerWeights v128)
    (local $pairs v128) (local $taps v128)
    (local $upper0 v128) (local $upper1 v128) (local $upper2 v128) (local $upper3 v128)
    (local $lower0 v128) (local $lower1 v128) (local $lower2 v128) (local $lower3 v128)

    (local.set $half (i32x4.splat (i32.const 0x200000)))
    (local.set $sourceEnd (i32.add (local.get $source) (local.get $bytes)))
    (local.set $weightsEnd (i32.add (local.get $weights) (local.get $weightBytes)))
    (loop $sixteenBytes
      (local.set $above (local.get $source))
      (local.set $weight (local.get $weights))
      (local.set $upper0 (v128.const i64x2 0 0))
      (local.set $upper1 (v128.const i64x2 0 0))
      (local.set $upper2 (v128.const i64x2 0 0))
      (local.set $upper3 (v128.const i64x2 0 0))
      (local.set $lower0 (local.get $half))
      (local.set $lower1 (local.get $half))
      (local.set $lower2 (local.get $half))
      (local.set $lower3 (local.get $half))
      (loop $twoTaps
        (local.set $upperWeights (v128.load32_splat (local.get $weight)))
        (local.set $lowerWeights (v128.load32_splat offset=4 (local.get $weight)))
        (local.set $below (i32.add (local.get $above) (local.get $sourceStride)))
        (local.set $pairs (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23
          (v128.load (local.get $above)) (v128.load (local.get $below))))
        (local.set $taps (i16x8.extend_low_i8x16_u (local.get $pairs)))
        (local.set $upper0 (i32x4.add (local.get $upper0) (i32x4.dot_i16x8_s (local.get $taps) (local.get $upperWeights))))
        (local.set $lower0 (i32x4.add (local.get $lower0) (i32x4.dot_i16x8_s (local.get $taps) (local.get $lowerWeights))))
        (local.set $taps (i16x8.extend_high_i8x16_u (local.get $pairs)))
        (local.set $upper1 (i32x4.add (local.get $upper1) (i32x4.dot_i16x8_s (local.get $taps) (local.get $upperWeights))))
        (local.set $lower1 (i32x4.add (local.get $lower1) (i32x4.dot_i16x8_s (local.get $taps) (local.get $lowerWeights))))
        (local.set $pairs (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31
          (v128.load (local.get $above)) (v128.load (local.get $below))))
        (local.set $taps (i16x8.extend_low_i8x16_u (local.get $pairs)))
        (local.set $upper2 (i32x4.add (local.get $upper2) (i32x4.dot_i16x8_s (local.get $taps) (local.get $upperWeights))))
        (local.set $lower2 (i32x4.add (local.get $lower2) (i32x4.dot_i16x8_s (local.get $taps) (local.get $lowerWeights))))
        (local.set $taps (i16x8.extend_high_i8x16_u (local.get $pairs)))
        (local.set $upper3 (i32x4.add (local.get $upper3) (i32x4.dot_i16x8_s (local.get $taps) (local.get $upperWeights))))
        (local.set $lower3 (i32x4.add (local.get $lower3) (i32x4.dot_i16x8_s (local.get $taps) (local.get $lowerWeights))))
        (local.set $above (i32.add (local.get $below) (local.get $sourceStride)))
        (local.set $weight (i32.add (local.get $weight) (i32.const 8)))
        (br_if $twoTaps (i32.lt_u (local.get $weight) (local.get $weightsEnd))))
      (v128.store (local.get $target)
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $upper0) (i32.const 15)) (local.get $lower0)) (i32.const 22))
            (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $upper1) (i32.const 15)) (local.get $lower1)) (i32.const 22)))
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $upper2) (i32.const 15)) (local.get $lower2)) (i32.const 22))
            (i32x4.shr_s (i32x4.add (i32x4.shl (local.get $upper3) (i32.const 15)) (local.get $lower3)) (i32.const 22)))))
      (local.set $target (i32.add (local.get $target) (i32.const 16)))
      (local.set $source (i32.add (local.get $source) (i32.const 16)))
      (br_if $sixteenBytes (i32.lt_u (local.get $source) (local.get $sourceEnd))))))

//! The product with a transposed left factor, which is the gradient of a weight.

use pulp::{Simd, WithSimd};

use super::{PANEL, ScatteredRows, load, store};

/// The product of a transposed left factor and a right factor.
pub(super) struct Outer<'a> {
    pub(super) left: ScatteredRows<'a>,
    pub(super) right: &'a [f32],
    pub(super) out: &'a mut [f32],
    pub(super) columns: usize,
}

impl WithSimd for Outer<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.run::<S, 12, 1>(simd),
            8 => self.run::<S, 6, 2>(simd),
            4 => self.run::<S, 3, 4>(simd),
            _ => self.run::<S, 1, 16>(simd),
        }
    }
}

/// How many rows of both factors all tiles of the result use while these rows are in the cache.
const STRIP: usize = 128;

impl Outer<'_> {
    /// Computes in tiles of `R` rows and `V` vectors.
    #[inline(always)]
    fn run<S: Simd, const R: usize, const V: usize>(mut self, simd: S) {
        let ScatteredRows { values, starts, parts, length } = self.left;
        let mut strip = [[0.0; PANEL]; STRIP];
        let across = length.div_ceil(R);
        let mut tiles = vec![[0.0; R]; starts.len().min(STRIP * parts) * across];
        for (starts, rows) in starts.chunks(STRIP * parts).zip(self.right.chunks(STRIP * self.columns)) {
            let count = starts.len() / parts;
            for (row, starts) in starts.chunks_exact(parts).enumerate() {
                for (part, &start) in starts.iter().enumerate() {
                    let (whole, rest) = values[start..start + length].as_chunks::<R>();
                    let mut place = part * across * count + row;
                    for line in whole {
                        tiles[place] = *line;
                        place += count;
                    }
                    if !rest.is_empty() {
                        tiles[place][..rest.len()].copy_from_slice(rest);
                    }
                }
            }
            for panel in (0..self.columns).step_by(PANEL) {
                let width = PANEL.min(self.columns - panel);
                for (line, row) in strip.iter_mut().zip(rows.chunks_exact(self.columns)) {
                    load(&row[panel..], width, line);
                }
                let places = (0..parts).flat_map(|part| {
                    (0..length).step_by(R).map(move |from| (part * length + from, R.min(length - from)))
                });
                for ((first, kept), lines) in places.zip(tiles.chunks_exact(count)) {
                    self.tile::<S, R, V>(simd, lines, &strip[..count], (first, kept), (panel, width));
                }
            }
        }
    }

    /// Adds to `kept` rows of the result, from `first` on, in `width` columns from `panel` on.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        lines: &[[f32; R]],
        strip: &[[f32; PANEL]],
        (first, kept): (usize, usize),
        (panel, width): (usize, usize),
    ) {
        let mut tile = [[0.0; PANEL]; R];
        let columns = self.columns;
        let place = |row: usize| (first + row) * columns + panel;
        for (row, line) in tile.iter_mut().enumerate().take(kept) {
            load(&self.out[place(row)..], width, line);
        }
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        for (sums, line) in sums.iter_mut().zip(tile.iter()) {
            sums.copy_from_slice(S::as_simd_f32s(line).0);
        }
        for (factors, wide) in lines.iter().zip(strip) {
            let (wide, _) = S::as_simd_f32s(wide);
            for r in 0..R {
                let factor = simd.splat_f32s(factors[r]);
                for v in 0..V {
                    sums[r][v] = simd.mul_add_e_f32s(factor, wide[v], sums[r][v]);
                }
            }
        }
        for (sums, line) in sums.iter().zip(tile.iter_mut()) {
            S::as_mut_simd_f32s(line).0.copy_from_slice(sums);
        }
        for (row, line) in tile.iter().enumerate().take(kept) {
            store(line, width, &mut self.out[place(row)..]);
        }
    }
}

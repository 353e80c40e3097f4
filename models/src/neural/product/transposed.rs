//! The product of a transposed left factor: what the gradient of a weight is.

use pulp::{Simd, WithSimd};

use super::{PANEL, Rows, load, store};

/// A transposed left factor times a right one.
pub(super) struct Outer<'a> {
    pub(super) left: Rows<'a>,
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

/// Rows of both factors that are met by all tiles of the result while they are in the cache.
const STRIP: usize = 64;

impl Outer<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const V: usize>(mut self, simd: S) {
        let Rows { starts, parts, length, .. } = self.left;
        let mut strip = [[0.0; PANEL]; STRIP];
        for (block, starts) in starts.chunks(STRIP * parts).enumerate() {
            let rows = &self.right[block * STRIP * self.columns..];
            for panel in (0..self.columns).step_by(PANEL) {
                let width = PANEL.min(self.columns - panel);
                let count = starts.len() / parts;
                for (line, row) in strip.iter_mut().zip(rows.chunks_exact(self.columns)).take(count) {
                    load(&row[panel..], width, line);
                }
                for part in 0..parts {
                    let starts = || starts.iter().skip(part).step_by(parts).copied();
                    let place = (part * length, panel);
                    if length < R {
                        (0..length)
                            .for_each(|at| self.tile::<S, 1, V>(simd, starts(), &strip[..count], place, (at, at)));
                        continue;
                    }
                    for from in (0..length).step_by(R) {
                        // The last tile reaches back over rows that are done, and leaves them alone.
                        let start = from.min(length - R);
                        self.tile::<S, R, V>(simd, starts(), &strip[..count], place, (start, from));
                    }
                }
            }
        }
    }

    /// Adds to the rows `start..start + R` of a part, of which those before `from` are not kept. `place` is the first
    /// row of the part and the first column of the panel.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        starts: impl Iterator<Item = usize>,
        strip: &[[f32; PANEL]],
        place: (usize, usize),
        (start, from): (usize, usize),
    ) {
        let columns = self.columns;
        let width = PANEL.min(columns - place.1);
        let mut tile = [[0.0; PANEL]; R];
        let place = |row: usize| (place.0 + start + row) * columns + place.1;
        for (row, line) in tile.iter_mut().enumerate() {
            load(&self.out[place(row)..], width, line);
        }
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        for (sums, line) in sums.iter_mut().zip(tile.iter()) {
            sums.copy_from_slice(S::as_simd_f32s(line).0);
        }
        for (at, wide) in starts.zip(strip) {
            let factors: &[f32; R] =
                self.left.values[at + start..].first_chunk().expect("a part has at least R numbers");
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
        for (row, line) in tile.iter().enumerate().skip(from - start) {
            store(line, width, &mut self.out[place(row)..]);
        }
    }
}

//! Many rows times a matrix in panels. A tile of the result stays in registers while the factors are read.

use pulp::{Simd, WithSimd};

use super::{BLOCK, FactorLayout, PANEL, ScatteredRows, load, pack, store};

/// Rows times some columns of a matrix.
pub(super) struct Tiles<'a> {
    pub(super) left: ScatteredRows<'a>,
    pub(super) layout: &'a FactorLayout<'a>,
    /// How many columns the whole matrix has.
    pub(super) columns: usize,
    /// The first column that `out` has. A panel starts there.
    pub(super) from: usize,
    /// The rows of the result.
    pub(super) out: Vec<&'a mut [f32]>,
}

/// A multiple of the number of rows of a tile on any processor.
pub(super) const TILE_ROWS: usize = 12;

impl WithSimd for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // The sums of a tile, a row of the right factor and a number of the left one fill the registers. A small tile
        // has as many sums as the processor computes multiplications at once.
        match S::F32_LANES {
            16 => self.run::<S, 12, 8, 1>(simd),
            8 => self.run::<S, 6, 4, 2>(simd),
            4 => self.run::<S, 3, 2, 4>(simd),
            _ => self.run::<S, 1, 1, 16>(simd),
        }
    }
}

impl Tiles<'_> {
    /// Computes in tiles of `R` rows, the last ones of `T` rows. A tile is `V` vectors wide, which is the width of a
    /// panel.
    #[inline(always)]
    fn run<S: Simd, const R: usize, const T: usize, const V: usize>(mut self, simd: S) {
        let (rows, depth) = (self.left.count(), self.left.parts * self.left.length);
        let layout = self.layout;
        let mut packed = Vec::new();
        for block in (0..rows).step_by(BLOCK) {
            let end = rows.min(block + BLOCK);
            for panel in self.from / PANEL..(self.from + self.out[0].len()).div_ceil(PANEL) {
                let lines = match layout {
                    FactorLayout::Panels(panels) => &panels[panel * depth..][..depth],
                    FactorLayout::Plain(matrix) => {
                        packed.resize(depth, [0.0; PANEL]);
                        pack(matrix, self.columns, panel, &mut packed);
                        &packed[..]
                    }
                };
                let mut first = block;
                while first < end {
                    let rest = end - first;
                    first += if rest > 2 * T || (T < rest && rest <= R) {
                        self.tile::<S, R, V>(simd, (first, rest), panel, lines)
                    } else {
                        self.tile::<S, T, V>(simd, (first, rest), panel, lines)
                    };
                }
            }
        }
    }

    /// Computes the product of up to `R` rows and a panel. Returns the number of rows.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        (first, rest): (usize, usize),
        panel: usize,
        lines: &[[f32; PANEL]],
    ) -> usize {
        let (count, width) = (R.min(rest), PANEL.min(self.columns - panel * PANEL));
        let mut tile = [[0.0; PANEL]; R];
        let at = panel * PANEL - self.from;
        for (line, out) in tile.iter_mut().zip(&self.out[first..first + count]) {
            load(&out[at..], width, line);
        }
        tile_product::<S, R, V>(simd, self.left, first, lines, &mut tile);
        for (line, out) in tile.iter().zip(&mut self.out[first..first + count]) {
            store(line, width, &mut out[at..]);
        }
        count
    }
}

/// Adds the product of a panel and `R` rows from `first` on. If there are fewer rows, the last one is computed again
/// and the surplus results are not used.
#[inline(always)]
fn tile_product<S: Simd, const R: usize, const V: usize>(
    simd: S,
    left: ScatteredRows<'_>,
    first: usize,
    panel: &[[f32; PANEL]],
    tile: &mut [[f32; PANEL]; R],
) {
    let ScatteredRows { values, starts, parts, length } = left;
    let last = left.count() - 1;
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (sums, line) in sums.iter_mut().zip(tile.iter()) {
        sums.copy_from_slice(S::as_simd_f32s(line).0);
    }
    for (part, panel) in panel.chunks_exact(length).enumerate() {
        let rows: [&[f32]; R] =
            std::array::from_fn(|row| &values[starts[(first + row).min(last) * parts + part]..][..length]);
        for k in 0..length {
            let (wide, _) = S::as_simd_f32s(&panel[k]);
            for r in 0..R {
                let factor = simd.splat_f32s(rows[r][k]);
                for v in 0..V {
                    sums[r][v] = simd.mul_add_e_f32s(factor, wide[v], sums[r][v]);
                }
            }
        }
    }
    for (sums, line) in sums.iter().zip(tile.iter_mut()) {
        S::as_mut_simd_f32s(line).0.copy_from_slice(sums);
    }
}

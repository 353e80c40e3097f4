//! Matrix products in 32-bit floats for the shapes that networks have: a few columns or a few rows, and left factors
//! whose rows overlap in memory, like the neighbourhoods of a convolution.
//!
//! A tile of the result stays in registers while the factors are read. The widest vector instructions are chosen at run
//! time. Every number of a result is summed in the order of the inner dimension, with any instructions and any tile. So
//! it depends neither on how many rows are computed together nor on the number of threads.

mod row;
mod tiles;
mod transposed;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use self::row::Plain;
pub(super) use self::row::Strips;
use self::tiles::{TILE_ROWS, Tiles};
use self::transposed::Outer;

/// How many columns a panel has.
const PANEL: usize = 16;
/// How many rows of the left factor are multiplied with all panels while they are in the cache.
const BLOCK: usize = 96;
/// With fewer rows, packing the right factor into panels takes longer than multiplying.
const MIN_ROWS_TO_PACK: usize = 4;
/// How many multiply-adds, with numbers in the cache, are worth handing to another thread. Handing them over takes some
/// microseconds.
const MIN_MULTIPLY_ADDS_PER_THREAD: usize = 1 << 18;
/// How many numbers of a matrix, each read and used once, are worth handing to another thread.
pub(super) const MIN_READS_PER_THREAD: usize = 1 << 16;

/// Runs `work`, compiled for the widest vector instructions of this processor. It must be inlined for that, so mark the
/// closure, and whatever it calls, as `#[inline(always)]`.
#[inline(always)]
pub(super) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    dispatch(work)
}

fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = pulp::x86::V4::try_new() {
            return Simd::vectorize(simd, op);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Simd::vectorize(simd, op);
        }
    }
    Arch::new().dispatch(op)
}

/// How many threads of the pool can have at least `enough` of the work each; at least one.
pub(super) fn threads(work: usize, enough: usize) -> usize {
    rayon::current_num_threads().min(work / enough).max(1)
}

/// Runs `work` on pieces of `out`, one for each thread. A piece has `unit` numbers or a multiple of that. `work` gets
/// the index in `out` at which its piece starts.
fn share(out: &mut [f32], unit: usize, threads: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    if threads == 1 {
        return work(0, out);
    }
    let piece = out.len().div_ceil(threads).next_multiple_of(unit);
    out.par_chunks_mut(piece).enumerate().for_each(|(index, out)| work(index * piece, out));
}

/// The same with pieces that are whole panels of columns. `work` gets the first of its columns, and its part of each
/// row.
fn share_columns(out: &mut [f32], columns: usize, threads: usize, work: impl Fn(usize, Vec<&mut [f32]>) + Sync) {
    let piece = columns.div_ceil(threads).next_multiple_of(PANEL);
    let mut pieces: Vec<Vec<&mut [f32]>> = Vec::new();
    pieces.resize_with(columns.div_ceil(piece), || Vec::with_capacity(out.len() / columns));
    for row in out.chunks_exact_mut(columns) {
        for (piece, part) in pieces.iter_mut().zip(row.chunks_mut(piece)) {
            piece.push(part);
        }
    }
    pieces.into_par_iter().enumerate().for_each(|(index, out)| work(index * piece, out));
}

/// Adds `values` to `sums`, element by element.
pub(crate) fn add(sums: &mut [f32], values: &[f32]) {
    vectorised(
        #[inline(always)]
        || sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value),
    );
}

/// The sum of products, computed as sixteen separate sums. So the result is the same for any width of the vector
/// instructions.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_tail) = a.as_chunks::<PANEL>();
    let (b, b_tail) = b.as_chunks::<PANEL>();
    let mut sums = [0.0; PANEL];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..PANEL {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(a_tail).zip(b_tail) {
        *sum += a * b;
    }
    sums.iter().sum()
}

/// The sum, in the order in which [`dot`] adds.
#[inline(always)]
pub(super) fn sum(values: &[f32]) -> f32 {
    let (whole, tail) = values.as_chunks::<PANEL>();
    let mut sums = [0.0; PANEL];
    for values in whole {
        for lane in 0..PANEL {
            sums[lane] += values[lane];
        }
    }
    for (sum, value) in sums.iter_mut().zip(tail) {
        *sum += value;
    }
    sums.iter().sum()
}

/// Rows that may be anywhere in `values`. Each consists of `parts` parts of `length` numbers.
#[derive(Clone, Copy)]
pub(super) struct ScatteredRows<'a> {
    pub(super) values: &'a [f32],
    /// Where each part of each row starts.
    pub(super) starts: &'a [usize],
    pub(super) parts: usize,
    pub(super) length: usize,
}

impl ScatteredRows<'_> {
    fn count(&self) -> usize {
        self.starts.len() / self.parts
    }
}

/// The starts of `rows` rows of `width` numbers, one after the other.
pub(super) fn consecutive(rows: usize, width: usize) -> Vec<usize> {
    (0..rows).map(|row| row * width).collect()
}

/// The right factor of a product, `depth x columns`.
pub(super) struct Right<'a> {
    depth: usize,
    columns: usize,
    layout: FactorLayout<'a>,
}

enum FactorLayout<'a> {
    /// The matrix in row-major order.
    Plain(&'a [f32]),
    /// Panels of sixteen columns, padded with zeros. Each panel is in row-major order.
    Panels(Vec<[f32; PANEL]>),
}

/// Copies a panel out of a matrix in row-major order.
fn pack(matrix: &[f32], columns: usize, panel: usize, lines: &mut [[f32; PANEL]]) {
    let width = PANEL.min(columns - panel * PANEL);
    for (line, row) in lines.iter_mut().zip(matrix.chunks_exact(columns)) {
        load(&row[panel * PANEL..], width, line);
    }
}

impl<'a> Right<'a> {
    /// The right factor from a matrix in row-major order, for `products` products with left factors of `rows` rows. The
    /// matrix is not packed for a few rows, or for one block of rows that is multiplied only once. A block then packs
    /// each panel when it needs it.
    pub(super) fn new(matrix: &'a [f32], columns: usize, rows: usize, products: usize) -> Right<'a> {
        let depth = matrix.len() / columns;
        if rows < MIN_ROWS_TO_PACK || (products == 1 && rows <= BLOCK) {
            return Right { depth, columns, layout: FactorLayout::Plain(matrix) };
        }
        let mut panels = vec![[0.0; PANEL]; columns.div_ceil(PANEL) * depth];
        for (panel, lines) in panels.chunks_exact_mut(depth).enumerate() {
            pack(matrix, columns, panel, lines);
        }
        Right { depth, columns, layout: FactorLayout::Panels(panels) }
    }

    /// The transpose of a matrix `columns x depth` in row-major order.
    pub(super) fn transposed(matrix: &[f32], columns: usize) -> Right<'a> {
        let depth = matrix.len() / columns;
        Right::packed(depth, columns, |row, out| {
            for (column, value) in out.iter_mut().enumerate() {
                *value = matrix[column * depth + row];
            }
        })
    }

    /// The right factor from its rows. `row(k, out)` writes row `k` to `out`.
    pub(super) fn packed(depth: usize, columns: usize, row: impl FnMut(usize, &mut [f32])) -> Right<'a> {
        Right { depth, columns, layout: FactorLayout::Panels(panels(depth, columns, row)) }
    }
}

/// A matrix `depth x columns` in panels of `N` columns, padded with zeros. Each panel is in row-major order.
/// `row(k, out)` writes row `k` to `out`.
fn panels<const N: usize>(depth: usize, columns: usize, mut row: impl FnMut(usize, &mut [f32])) -> Vec<[f32; N]> {
    let mut packed = vec![[0.0; N]; columns.div_ceil(N) * depth];
    let mut line = vec![0.0; columns];
    for k in 0..depth {
        row(k, &mut line);
        let (whole, rest) = line.as_chunks();
        for (index, part) in whole.iter().enumerate() {
            packed[index * depth + k] = *part;
        }
        if !rest.is_empty() {
            packed[whole.len() * depth + k][..rest.len()].copy_from_slice(rest);
        }
    }
    packed
}

/// Adds the product of `left` and `right` to `out`, which is in row-major order.
pub(super) fn multiply(left: ScatteredRows<'_>, right: &Right<'_>, out: &mut [f32]) {
    assert_eq!(left.parts * left.length, right.depth, "the inner dimensions agree");
    assert_eq!(left.count() * right.columns, out.len(), "the result has the rows of one and the columns of the other");
    let ScatteredRows { values, starts, parts, length } = left;
    let columns = right.columns;
    let workers = threads(left.count() * right.depth * columns, MIN_MULTIPLY_ADDS_PER_THREAD);
    match &right.layout {
        &FactorLayout::Plain(matrix) if left.count() < MIN_ROWS_TO_PACK => {
            for (starts, out) in starts.chunks_exact(parts).zip(out.chunks_exact_mut(columns)) {
                share(out, PANEL, threads(matrix.len(), MIN_READS_PER_THREAD), |from, out| {
                    dispatch(Plain {
                        left: ScatteredRows { values, starts, parts, length },
                        matrix,
                        columns,
                        from,
                        out,
                    });
                });
            }
        }
        // Each thread packs the columns that it needs.
        layout @ FactorLayout::Plain(_) => share_columns(out, columns, workers, |from, out| {
            dispatch(Tiles { left, layout, columns, from, out });
        }),
        layout => share(out, TILE_ROWS * columns, workers, |start, out| {
            let (first, count) = (start / columns, out.len() / columns);
            let starts = &starts[first * parts..][..count * parts];
            let out = out.chunks_exact_mut(columns).collect();
            dispatch(Tiles { left: ScatteredRows { values, starts, parts, length }, layout, columns, from: 0, out });
        }),
    }
}

/// Adds the product of the transpose of `left` with `right` to `out`. `right` and `out` are in row-major order.
pub(super) fn multiply_transposed(left: ScatteredRows<'_>, right: &[f32], columns: usize, out: &mut [f32]) {
    assert_eq!(left.count() * columns, right.len(), "the inner dimensions agree");
    assert_eq!(left.parts * left.length * columns, out.len(), "the result has the columns of both");
    dispatch(Outer { left, right, out, columns });
}

/// Copies the first `width` numbers of a row. Copying a whole line compiles to a few registers, and any other copy to a
/// call.
#[inline(always)]
fn load(row: &[f32], width: usize, line: &mut [f32; PANEL]) {
    match row.first_chunk() {
        Some(whole) if width == PANEL => *line = *whole,
        _ => line[..width].copy_from_slice(&row[..width]),
    }
}

/// The reverse of [`load`].
#[inline(always)]
fn store(line: &[f32; PANEL], width: usize, row: &mut [f32]) {
    match row.first_chunk_mut() {
        Some(whole) if width == PANEL => *whole = *line,
        _ => row[..width].copy_from_slice(&line[..width]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::neural::cpu::kernel::testing::noise;

    /// The product, one number after the other, in 64 bits.
    fn reference(left: ScatteredRows<'_>, right: &[f32], columns: usize) -> Vec<f32> {
        let number =
            |row: usize, k: usize| left.values[left.starts[row * left.parts + k / left.length] + k % left.length];
        let sum = |row: usize, column: usize| -> f64 {
            let depth = left.parts * left.length;
            (0..depth).map(|k| f64::from(number(row, k)) * f64::from(right[k * columns + column])).sum()
        };
        (0..left.count()).flat_map(|row| (0..columns).map(move |column| sum(row, column) as f32)).collect()
    }

    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (at, (a, b)) in found.iter().zip(expected).enumerate() {
            assert!((a - b).abs() < 1e-4 * (1.0 + b.abs()), "number {at}: {a} is not {b}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn products_are_those_of_the_definition_whatever_the_shape(
            count in 1_usize..120, parts in 1_usize..4, length in 1_usize..40, columns in 1_usize..150, seed in 0_u64..99,
        ) {
            let depth = parts * length;
            let values = noise(count * 2 + depth * 3, seed);
            // Overlapping rows, in parts that are not next to each other.
            let starts: Vec<usize> =
                (0..count).flat_map(|row| (0..parts).map(move |part| 2 * row + part * 2 * length)).collect();
            let left = ScatteredRows { values: &values, starts: &starts, parts, length };
            let matrix = noise(depth * columns, seed + 100);
            let expected = reference(left, &matrix, columns);
            let flipped: Vec<f32> =
                (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns)).copied().collect();
            let rights =
                [Right::new(&matrix, columns, 1, 1), Right::new(&matrix, columns, 99, 1), Right::transposed(&flipped, columns)];
            let mut results = Vec::new();
            for right in &rights {
                let mut out = vec![0.0; count * columns];
                multiply(left, right, &mut out);
                assert_close(&out, &expected);
                results.push(out);
            }
            prop_assert_eq!(&results[0], &results[1], "packing changes no bit");
            let strips = Strips::new(depth, columns, |k, out| out.copy_from_slice(&matrix[k * columns..][..columns]));
            let mut out = vec![0.0; columns];
            let row: Vec<f32> = (0..depth).map(|k| values[starts[k / length] + k % length]).collect();
            strips.multiply(&row, &mut out);
            prop_assert_eq!(&results[0][..columns], &out, "nor do strips");

            let right = noise(count * columns, seed + 200);
            let mut out = noise(depth * columns, seed + 300);
            let mut expected = out.clone();
            for row in 0..count {
                for k in 0..depth {
                    for column in 0..columns {
                        expected[k * columns + column] +=
                            values[starts[row * parts + k / length] + k % length] * right[row * columns + column];
                    }
                }
            }
            multiply_transposed(left, &right, columns, &mut out);
            assert_close(&out, &expected);
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let product = |rows: usize, depth: usize, columns: usize, threads: usize| {
            let (left, matrix) = (noise(rows * depth, 1), noise(depth * columns, 2));
            let starts = consecutive(rows, depth);
            let left = ScatteredRows { values: &left, starts: &starts, parts: 1, length: depth };
            let mut out = noise(rows * columns, 3);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| multiply(left, &Right::new(&matrix, columns, rows, 1), &mut out));
            out
        };
        // Up to one block of rows is divided by columns, more is divided by rows. Each case has enough work for three
        // threads.
        for (rows, depth, columns) in [(1, 401, 523), (3, 401, 523), (50, 130, 137), (131, 75, 150)] {
            assert!(
                depth * columns >= 3 * MIN_READS_PER_THREAD
                    || rows * depth * columns >= 3 * MIN_MULTIPLY_ADDS_PER_THREAD
            );
            let alone = product(rows, depth, columns, 1);
            for threads in [2, 3] {
                assert!(product(rows, depth, columns, threads) == alone, "{rows} x {depth} x {columns}, {threads}");
            }
        }
    }
}

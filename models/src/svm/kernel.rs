//! Kernels between rows of features, computed in blocks by matrix products.

use ndarray::linalg::{general_mat_mul, general_mat_vec_mul};
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayViewMut2, Axis, Slice};

use crate::encode::features::Features;
use crate::encode::sparse::SparseRows;

/// How many rows of a kernel one task computes. More rows make a matrix product more efficient; fewer rows balance the
/// threads better.
const ROWS_PER_TASK: usize = 128;

/// A similarity between two rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kernel {
    /// `x . y`
    Linear,
    /// `exp(-gamma |x - y|²)`
    Rbf {
        /// The inverse of the squared width.
        gamma: f32,
    },
}

impl Kernel {
    /// The Gaussian kernel with `gamma = 1 / (features x variance of all values)`, which is scikit-learn's `"scale"`.
    /// If the values do not vary, gamma is 1.
    pub fn rbf_for(rows: &Features) -> Kernel {
        let values = (rows.len() * rows.width()) as f64;
        let (sum, square) = match rows {
            Features::Dense(rows) => moments(rows.iter().copied()),
            Features::Sparse(rows) => moments(rows.iter().flatten().map(|&(_, value)| value)),
        };
        let variance = square / values - (sum / values).powi(2);
        Kernel::Rbf { gamma: if variance > 0.0 { 1.0 / (rows.width() as f64 * variance) } else { 1.0 } as f32 }
    }

    /// The kernel between every row of `left` and every row of `right`. The result has a row for each row of `left` and
    /// a column for each row of `right`.
    pub(super) fn between(self, left: &Features, right: &Features) -> Array2<f32> {
        let mut products = Array2::zeros((left.len(), right.len()));
        let right_products = Products::new(right);
        let (left_squares, right_squares) = (squares(left), squares(right));
        products.axis_chunks_iter_mut(Axis(0), ROWS_PER_TASK).into_par_iter().enumerate().for_each(
            |(block, mut out)| {
                let first = block * ROWS_PER_TASK;
                right_products.write(left, first, &mut out);
                if let Kernel::Rbf { gamma } = self {
                    for (mut row, &square) in out.rows_mut().into_iter().zip(left_squares.iter().skip(first)) {
                        row.zip_mut_with(&right_squares, |value, &other| {
                            // Rounding may make a distance slightly negative.
                            let distance = (square + other - 2.0 * *value).max(0.0);
                            *value = (-gamma * distance).exp();
                        });
                    }
                }
            },
        );
        products
    }
}

fn moments(values: impl Iterator<Item = f32>) -> (f64, f64) {
    values.fold((0.0, 0.0), |(sum, square), value| {
        let value = f64::from(value);
        (sum + value, square + value * value)
    })
}

fn squares(rows: &Features) -> Array1<f32> {
    match rows {
        Features::Dense(rows) => rows.rows().into_iter().map(|row| row.dot(&row)).collect(),
        Features::Sparse(rows) => rows.iter().map(|row| row.iter().map(|(_, value)| value * value).sum()).collect(),
    }
}

/// Inner products with a fixed set of rows.
enum Products<'a> {
    Dense(&'a Array2<f32>),
    /// The rows by column. Only the terms that both texts share cost time.
    Sparse(SparseRows),
}

impl<'a> Products<'a> {
    fn new(rows: &'a Features) -> Products<'a> {
        match rows {
            Features::Dense(rows) => Products::Dense(rows),
            Features::Sparse(rows) => Products::Sparse(rows.transpose()),
        }
    }

    /// Writes the products of the rows of `left`, beginning at `first`, into `out`, which must be zero.
    fn write(&self, left: &Features, first: usize, out: &mut ArrayViewMut2<'_, f32>) {
        match (self, left) {
            (Products::Dense(right), Features::Dense(left)) => {
                let block = left.slice_axis(Axis(0), Slice::from(first..first + out.nrows()));
                if out.nrows() == 1 {
                    // A matrix product first copies both matrices into tiles. For one row the copy costs more than it
                    // saves.
                    general_mat_vec_mul(1.0, right, &block.row(0), 0.0, &mut out.row_mut(0));
                } else {
                    general_mat_mul(1.0, &block, &right.t(), 0.0, out);
                }
            }
            (Products::Sparse(columns), Features::Sparse(left)) => {
                for (index, mut row) in out.rows_mut().into_iter().enumerate() {
                    for &(column, value) in left.row(first + index) {
                        for &(other, factor) in columns.row(column as usize) {
                            row[other as usize] += value * factor;
                        }
                    }
                }
            }
            _ => unreachable!("one encoder makes the rows of both sides"),
        }
    }
}

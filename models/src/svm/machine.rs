//! A fitted support vector machine: several functions of a row that share their support vectors.

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, Axis};

use super::kernel::Kernel;
use crate::encode::features::Features;

/// Functions of a row: `f_k(x) = sum_i coefficients[i, k] K(x_i, x) + bias[k]`.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    form: Form,
    bias: Array1<f32>,
}

#[derive(Debug, Clone)]
enum Form {
    /// The sum over support vectors folded into one weight per feature: `features x functions`.
    Weights(Array2<f32>),
    /// The support vectors with `support vectors x functions` coefficients.
    Support { kernel: Kernel, rows: Features, coefficients: Array2<f32> },
}

impl Machine {
    /// From training rows and their `rows x functions` coefficients. Rows without any drop out.
    pub(super) fn new(kernel: Kernel, rows: &Features, coefficients: &Array2<f32>, bias: Array1<f32>) -> Machine {
        let form = match kernel {
            Kernel::Linear => Form::Weights(fold(rows, coefficients)),
            Kernel::Rbf { .. } => {
                let support: Vec<usize> =
                    (0..rows.len()).filter(|&row| coefficients.row(row).iter().any(|&c| c != 0.0)).collect();
                let coefficients = coefficients.select(Axis(0), &support);
                Form::Support { kernel, rows: rows.select(&support), coefficients }
            }
        };
        Machine { form, bias }
    }

    /// `rows x functions` values, by matrix products over all support vectors at once.
    pub(super) fn values(&self, rows: &Features) -> Array2<f32> {
        let sums = match (&self.form, rows) {
            (Form::Weights(weights), Features::Dense(rows)) => rows.dot(weights),
            (Form::Weights(weights), Features::Sparse(rows)) => {
                let mut sums = Array2::zeros((rows.len(), weights.ncols()));
                sums.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(index, mut sum)| {
                    for &(column, value) in rows.row(index) {
                        sum.scaled_add(value, &weights.row(column as usize));
                    }
                });
                sums
            }
            (Form::Support { kernel, rows: support, coefficients }, rows) => {
                kernel.between(rows, support).dot(coefficients)
            }
        };
        sums + &self.bias
    }

    /// The number of support vectors, unless they were folded into weights.
    #[cfg(test)]
    pub(super) fn support(&self) -> Option<usize> {
        match &self.form {
            Form::Weights(_) => None,
            Form::Support { rows, .. } => Some(rows.len()),
        }
    }

    /// The numbers that a prediction reads.
    pub(super) fn parameters(&self) -> u64 {
        let learned = match &self.form {
            Form::Weights(weights) => weights.len(),
            Form::Support { rows, coefficients, .. } => {
                rows.stored() + coefficients.iter().filter(|&&c| c != 0.0).count()
            }
        };
        (learned + self.bias.len()) as u64
    }

    /// The memory that a prediction reads.
    pub(super) fn bytes(&self) -> u64 {
        let floats = |count: usize| (count * size_of::<f32>()) as u64;
        let learned = match &self.form {
            Form::Weights(weights) => floats(weights.len()),
            Form::Support { rows, coefficients, .. } => rows.bytes() + floats(coefficients.len()),
        };
        learned + floats(self.bias.len())
    }

    /// Multiply-adds for one row, times two; unknown for sparse rows, which cost what they hold.
    pub(super) fn flops(&self) -> Option<u64> {
        match &self.form {
            Form::Support { rows: Features::Dense(rows), coefficients, .. } => {
                Some(2 * (rows.len() + coefficients.len()) as u64)
            }
            _ => None,
        }
    }
}

/// `rows^T coefficients`.
fn fold(rows: &Features, coefficients: &Array2<f32>) -> Array2<f32> {
    match rows {
        Features::Dense(rows) => rows.t().dot(coefficients),
        Features::Sparse(rows) => {
            let mut weights = Array2::zeros((rows.width(), coefficients.ncols()));
            for (row, own) in rows.iter().zip(coefficients.rows()) {
                for &(column, value) in row {
                    weights.row_mut(column as usize).scaled_add(value, &own);
                }
            }
            weights
        }
    }
}

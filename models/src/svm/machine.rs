//! A fitted support vector machine: several functions of a row. They share their support vectors.

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, Axis};

use super::kernel::Kernel;
use crate::artefact::{ArraysIn, ArraysOut};
use crate::encode::features::Features;
use crate::encode::sparse::SparseRows;
use crate::model::ModelError;

/// Functions of a row: `f_k(x) = sum_i coefficients[i, k] K(x_i, x) + bias[k]`.
#[derive(Debug, Clone)]
pub(super) struct FittedMachine {
    functions: Functions,
    bias: Array1<f32>,
}

#[derive(Debug, Clone)]
enum Functions {
    /// The sum over the support vectors, folded into one weight per feature: `features x functions`.
    Weights(Array2<f32>),
    /// The support vectors with `support vectors x functions` coefficients.
    Support { kernel: Kernel, rows: Features, coefficients: Array2<f32> },
}

impl FittedMachine {
    /// Builds the machine from training rows and their `rows x functions` coefficients. Rows whose coefficients are all
    /// zero are dropped.
    pub(super) fn new(kernel: Kernel, rows: &Features, coefficients: &Array2<f32>, bias: Array1<f32>) -> FittedMachine {
        let functions = match kernel {
            Kernel::Linear => Functions::Weights(fold(rows, coefficients)),
            Kernel::Rbf { .. } => {
                let support: Vec<usize> =
                    (0..rows.len()).filter(|&row| coefficients.row(row).iter().any(|&c| c != 0.0)).collect();
                let coefficients = coefficients.select(Axis(0), &support);
                Functions::Support { kernel, rows: rows.select(&support), coefficients }
            }
        };
        FittedMachine { functions, bias }
    }

    /// `rows x functions` values, computed by matrix products over all support vectors at once.
    pub(super) fn values(&self, rows: &Features) -> Array2<f32> {
        let sums = match (&self.functions, rows) {
            (Functions::Weights(weights), Features::Dense(rows)) => rows.dot(weights),
            (Functions::Weights(weights), Features::Sparse(rows)) => {
                let mut sums = Array2::zeros((rows.len(), weights.ncols()));
                sums.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(index, mut sum)| {
                    for &(column, value) in rows.row(index) {
                        sum.scaled_add(value, &weights.row(column as usize));
                    }
                });
                sums
            }
            (Functions::Support { kernel, rows: support, coefficients }, rows) => {
                kernel.between(rows, support).dot(coefficients)
            }
        };
        sums + &self.bias
    }

    /// Adds all learned arrays.
    pub(super) fn save(&self, arrays: &mut ArraysOut) {
        arrays.add("bias", &[self.bias.len()], self.bias.iter().copied());
        match &self.functions {
            Functions::Weights(weights) => {
                arrays.add("weights", &[weights.nrows(), weights.ncols()], weights.iter().copied());
            }
            Functions::Support { kernel, rows, coefficients } => {
                let gamma = if let Kernel::Rbf { gamma } = kernel { *gamma } else { 0.0 };
                arrays.add("gamma", &[1], [gamma]);
                let shape = [coefficients.nrows(), coefficients.ncols()];
                arrays.add("coefficients", &shape, coefficients.iter().copied());
                match rows {
                    Features::Dense(rows) => arrays.add("support", &[rows.nrows(), rows.ncols()], rows.iter().copied()),
                    Features::Sparse(rows) => rows.save("support", arrays),
                }
            }
        }
    }

    /// Takes the arrays that [`FittedMachine::save`] added for a machine of `count` functions.
    ///
    /// # Errors
    /// If the arrays are not those of such a machine.
    pub(super) fn load(form: MachineForm, count: usize, arrays: &mut ArraysIn) -> Result<FittedMachine, ModelError> {
        let MachineForm { is_linear, features, is_sparse } = form;
        let bias = Array1::from(arrays.take::<f32>("bias", &[count])?);
        let matrix = |shape: (usize, usize), values: Vec<f32>| {
            Array2::from_shape_vec(shape, values).expect("an array is taken in the shape that it has")
        };
        let functions = if is_linear {
            Functions::Weights(matrix((features, count), arrays.take("weights", &[features, count])?))
        } else {
            let gamma = arrays.take::<f32>("gamma", &[1])?[0];
            if gamma <= 0.0 {
                return Err(arrays.refused(format!("gamma is {gamma}, expected a number above zero")));
            }
            let rows = if is_sparse {
                Features::Sparse(SparseRows::load("support", features, arrays)?)
            } else {
                let vectors = arrays.rows("support")?;
                Features::Dense(matrix((vectors, features), arrays.take("support", &[vectors, features])?))
            };
            let shape = (rows.len(), count);
            let coefficients = matrix(shape, arrays.take("coefficients", &[shape.0, shape.1])?);
            Functions::Support { kernel: Kernel::Rbf { gamma }, rows, coefficients }
        };
        Ok(FittedMachine { functions, bias })
    }

    /// The number of support vectors. `None` if they were folded into weights.
    pub(super) fn support(&self) -> Option<usize> {
        match &self.functions {
            Functions::Weights(_) => None,
            Functions::Support { rows, .. } => Some(rows.len()),
        }
    }

    /// How many numbers a prediction reads.
    pub(super) fn parameters(&self) -> u64 {
        let count = match &self.functions {
            Functions::Weights(weights) => weights.len(),
            Functions::Support { rows, coefficients, .. } => {
                rows.stored() + coefficients.iter().filter(|&&c| c != 0.0).count()
            }
        };
        (count + self.bias.len()) as u64
    }

    /// The floating-point operations for one row, two for each multiply-add. `None` for sparse rows, whose cost depends
    /// on how many values they hold.
    pub(super) fn flops(&self) -> Option<u64> {
        match &self.functions {
            Functions::Support { rows: Features::Dense(rows), coefficients, .. } => {
                Some(2 * (rows.len() + coefficients.len()) as u64)
            }
            _ => None,
        }
    }
}

/// What must be known about a saved [`FittedMachine`] beside its arrays.
#[derive(Debug, Clone, Copy)]
pub(super) struct MachineForm {
    /// Whether the kernel is linear.
    pub(super) is_linear: bool,
    /// The number of features of a row.
    pub(super) features: usize,
    /// Whether rows are sparse.
    pub(super) is_sparse: bool,
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

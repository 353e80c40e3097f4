//! One interface to the two solvers. Our solver uses one kernel for all problems; linfa-svm computes a kernel for each
//! problem.

use std::ops::Range;

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_svm::{Svm, SvmError, SvmParams};
use ndarray::{Array1, Array2, Axis, CowArray, Ix2, Slice, concatenate};

use super::kernel::Kernel;
use super::solver::{NotConverged, Problem, Solution};
use crate::encode::features::Features;
use crate::model::ModelError;

/// The largest size in bytes of all kernel matrices that a fit holds at the same time.
pub(super) const MOST_KERNEL_BYTES: u64 = 1 << 30;

/// The settings that all problems share.
#[derive(Debug, Clone, Copy)]
pub struct ProblemSettings {
    /// The kernel.
    pub kernel: Kernel,
    /// The penalty for a violated margin.
    pub c: f64,
    /// Half the width of the tube in which a regression's errors cost nothing, in the unit of the targets.
    pub epsilon: f64,
    /// By how much the optimality conditions may be violated.
    pub tolerance: f64,
}

/// Which solver is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Our own, with one kernel that all problems share.
    Smo,
    /// linfa-svm's, which computes a kernel for each problem.
    Linfa,
}

/// A solver for problems over one set of rows.
pub(super) enum Solver {
    /// Sequential minimal optimisation with this kernel between all rows.
    Smo(Array2<f32>),
    /// linfa-svm with these rows. They are f64, because in f32 the solver does not reach its stopping rule on larger
    /// problems.
    Linfa(Array2<f64>),
}

/// The size in bytes of a kernel between `rows` rows.
pub(super) fn kernel_bytes<F>(rows: usize) -> u64 {
    (rows as u64).saturating_mul(rows as u64).saturating_mul(size_of::<F>() as u64)
}

/// Why a problem was not solved.
#[derive(Debug, thiserror::Error)]
pub(super) enum SolveError {
    #[error(transparent)]
    NotConverged(#[from] NotConverged),
    #[error("linfa-svm failed: {0}")]
    Linfa(#[from] SvmError),
    #[error("linfa-svm stopped before it converged: {0}")]
    LinfaStopped(String),
}

impl From<SolveError> for ModelError {
    fn from(error: SolveError) -> ModelError {
        ModelError::Failed(error.to_string())
    }
}

impl Solver {
    /// A solver for problems of up to `largest` of these rows, of which up to `at_once` are solved at the same time.
    ///
    /// # Errors
    /// If that takes too much memory.
    pub(super) fn new(
        method: Method,
        rows: &Features,
        kernel: Kernel,
        largest: usize,
        at_once: usize,
    ) -> Result<Solver, ModelError> {
        let kernels = match method {
            Method::Smo => kernel_bytes::<f32>(rows.len()),
            Method::Linfa => kernel_bytes::<f64>(largest).saturating_mul(at_once as u64),
        };
        let dense = match method {
            Method::Smo => 0,
            Method::Linfa => (rows.len() * rows.width() * size_of::<f64>()) as u64,
        };
        if kernels.saturating_add(dense) > MOST_KERNEL_BYTES {
            let solver = match method {
                Method::Smo => "smo",
                Method::Linfa => "linfa",
            };
            return Err(ModelError::Unsupported(format!(
                "solver = \"{solver}\" needs {kernels} bytes for kernels and {dense} bytes for dense rows, more than \
                 {MOST_KERNEL_BYTES}; use fewer rows, threads or terms, or solver = \"smo\""
            )));
        }
        Ok(match method {
            Method::Smo => Solver::Smo(kernel.between(rows, rows)),
            Method::Linfa => Solver::Linfa(rows.clone().into_dense().mapv(f64::from)),
        })
    }

    /// Finds the function that is positive on the rows `positive` and negative on the rows `negative`. The coefficients
    /// of the positive rows come first, then those of the negative rows.
    pub(super) fn classify(
        &self,
        positive: &Range<usize>,
        negative: &Range<usize>,
        settings: &ProblemSettings,
    ) -> Result<Solution, SolveError> {
        let is_positive: Vec<bool> = (0..positive.len() + negative.len()).map(|index| index < positive.len()).collect();
        match self {
            Solver::Smo(all) => {
                let kernel = between(all, positive, negative);
                Ok(Problem::classes(kernel.view(), &is_positive, settings.c).solve(settings.tolerance)?)
            }
            Solver::Linfa(rows) => {
                let part = |range: &Range<usize>| rows.slice_axis(Axis(0), Slice::from(range.clone()));
                let records = concatenate![Axis(0), part(positive), part(negative)];
                let params = with_kernel(Svm::<f64, bool>::params(), settings).pos_neg_weights(settings.c, settings.c);
                let svm = params.fit(&Dataset::new(records, Array1::from(is_positive)))?;
                linfa_solution(&svm)
            }
        }
    }

    /// Finds the function that is within epsilon of `values` on all rows.
    pub(super) fn regress(&self, values: &[f32], settings: &ProblemSettings) -> Result<Solution, SolveError> {
        match self {
            Solver::Smo(all) => {
                Ok(Problem::values(all.view(), values, settings.c, settings.epsilon).solve(settings.tolerance)?)
            }
            Solver::Linfa(rows) => {
                let params = with_kernel(Svm::<f64, f64>::params(), settings).c_svr(settings.c, Some(settings.epsilon));
                let targets = values.iter().map(|&v| f64::from(v)).collect::<Array1<f64>>();
                let svm = params.fit(&Dataset::new(rows.clone(), targets))?;
                linfa_solution(&svm)
            }
        }
    }
}

/// The kernel between all rows of two classes.
fn between<'a>(all: &'a Array2<f32>, first: &Range<usize>, second: &Range<usize>) -> CowArray<'a, f32, Ix2> {
    let part = |rows: &Range<usize>, columns: &Range<usize>| {
        all.view()
            .slice_axis_move(Axis(0), Slice::from(rows.clone()))
            .slice_axis_move(Axis(1), Slice::from(columns.clone()))
    };
    if first.end == second.start {
        // The rows of neighbouring classes are one block of the whole kernel, so that nothing is copied.
        let both = first.start..second.end;
        return part(&both, &both).into();
    }
    let top = concatenate![Axis(1), part(first, first), part(first, second)];
    let bottom = concatenate![Axis(1), part(second, first), part(second, second)];
    concatenate![Axis(0), top, bottom].into()
}

fn with_kernel<T>(params: SvmParams<f64, T>, settings: &ProblemSettings) -> SvmParams<f64, T> {
    let params = params.eps(settings.tolerance);
    match settings.kernel {
        Kernel::Linear => params.linear_kernel(),
        Kernel::Rbf { gamma } => params.gaussian_kernel(1.0 / f64::from(gamma)),
    }
}

fn linfa_solution<T>(svm: &Svm<f64, T>) -> Result<Solution, SolveError> {
    // linfa says only in the machine's text why its solver stopped.
    let description = svm.to_string();
    if description.starts_with("Reached maximal") {
        return Err(SolveError::LinfaStopped(description));
    }
    Ok(Solution { coefficients: svm.alpha.iter().map(|&a| a as f32).collect(), bias: -svm.rho as f32 })
}

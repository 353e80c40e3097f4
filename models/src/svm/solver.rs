//! Sequential minimal optimisation of a support vector machine's dual problem, on a kernel matrix in memory.
//!
//! The problem is written as in Bottou and Lin (2007, "Support vector machine solvers"), with signed coefficients `b`:
//! maximise `c.b - b.K.b / 2` subject to `sum b = 0` and `lower <= b <= upper`. Classification and epsilon-regression
//! differ only in `c` and in the bounds. The working set is chosen as in LIBSVM: the first variable is the one that
//! violates the optimality conditions most, and the second is the one that promises the largest gain to second order
//! (Fan, Chen and Lin 2005, "Working set selection using second order information", WSS 2).

use ndarray::ArrayView2;

/// Replaces the curvature of a direction in which the kernel is not positive definite, as in LIBSVM.
const MIN_CURVATURE: f64 = 1e-12;

/// A dual problem over the rows of a kernel matrix. The vectors hold one variable per row for a classification. For a
/// regression they hold two blocks of them, the upper and the lower multipliers.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    /// `m x m`, symmetric, with contiguous rows.
    kernel: ArrayView2<'a, f32>,
    /// `c`: `m` or `2 m` values.
    linear: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
}

/// A function of a row: `sum_i coefficients[i] K(x_i, x) + bias`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    /// One for each row of the kernel matrix; zero if the row is not a support vector.
    pub(super) coefficients: Vec<f32>,
    /// The constant term.
    pub(super) bias: f32,
}

/// The solver reached its step limit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the SVM solver did not converge in {steps} steps; try a smaller c or a larger tolerance")]
pub(super) struct NotConverged {
    steps: usize,
}

impl<'a> Problem<'a> {
    /// A classification: the function shall be positive on the rows that are `positive` and negative on the others.
    pub(super) fn classes(kernel: ArrayView2<'a, f32>, positive: &[bool], c: f64) -> Problem<'a> {
        Problem {
            kernel,
            linear: positive.iter().map(|&p| if p { 1.0 } else { -1.0 }).collect(),
            lower: positive.iter().map(|&p| if p { 0.0 } else { -c }).collect(),
            upper: positive.iter().map(|&p| if p { c } else { 0.0 }).collect(),
        }
    }

    /// A regression: the function shall be within `epsilon` of `values`.
    pub(super) fn values(kernel: ArrayView2<'a, f32>, values: &[f32], c: f64, epsilon: f64) -> Problem<'a> {
        let rows = values.len();
        let from_below = values.iter().map(|&v| f64::from(v) - epsilon);
        let from_above = values.iter().map(|&v| f64::from(v) + epsilon);
        Problem {
            kernel,
            linear: from_below.chain(from_above).collect(),
            lower: [vec![0.0; rows], vec![-c; rows]].concat(),
            upper: [vec![c; rows], vec![0.0; rows]].concat(),
        }
    }

    /// Improves pairs of variables until no pair violates the optimality conditions by more than `tolerance`.
    pub(super) fn solve(self, tolerance: f64) -> Result<Solution, NotConverged> {
        let steps = usize::max(10_000_000, 100 * self.linear.len());
        let mut state = SolverState::new(self);
        for _ in 0..steps {
            match state.working_set(tolerance) {
                Some((i, j)) => state.improve(i, j),
                None => return Ok(state.solution()),
            }
        }
        Err(NotConverged { steps })
    }
}

struct SolverState<'a> {
    problem: Problem<'a>,
    diagonal: Vec<f64>,
    value: Vec<f64>,
    /// `c - K b`: the gradient of the objective with respect to each variable.
    gradient: Vec<f64>,
}

impl<'a> SolverState<'a> {
    fn new(problem: Problem<'a>) -> SolverState<'a> {
        SolverState {
            diagonal: problem.kernel.diag().iter().map(|&d| f64::from(d)).collect(),
            value: vec![0.0; problem.linear.len()],
            gradient: problem.linear.clone(),
            problem,
        }
    }

    fn row(&self, variable: usize) -> &[f32] {
        let row = variable % self.diagonal.len();
        self.problem.kernel.row(row).to_slice().expect("the rows of a kernel are contiguous")
    }

    /// The pair to improve: `i` may grow and `j` may shrink. `None` at the optimum.
    fn working_set(&self, tolerance: f64) -> Option<(usize, usize)> {
        let mut i = usize::MAX;
        let (mut most, mut least) = (f64::NEG_INFINITY, f64::INFINITY);
        for (t, &gradient) in self.gradient.iter().enumerate() {
            if gradient > most && self.value[t] < self.problem.upper[t] {
                most = gradient;
                i = t;
            }
            if gradient < least && self.value[t] > self.problem.lower[t] {
                least = gradient;
            }
        }
        if most - least < tolerance {
            return None;
        }
        self.partner(i, most).map(|j| (i, j))
    }

    /// The variable that gains most when it is moved together with `i`. `most` is the gradient of `i`.
    fn partner(&self, i: usize, most: f64) -> Option<usize> {
        let rows = self.diagonal.len();
        let row = self.row(i);
        let own = self.diagonal[i % rows];
        let (mut best, mut partner) = (0.0, None);
        for start in (0..self.gradient.len()).step_by(rows) {
            let gradients = &self.gradient[start..][..rows];
            let values = &self.value[start..][..rows];
            let lowers = &self.problem.lower[start..][..rows];
            for t in 0..rows {
                let slope = most - gradients[t];
                if slope > 0.0 && values[t] > lowers[t] {
                    let curvature = (own + self.diagonal[t] - 2.0 * f64::from(row[t])).max(MIN_CURVATURE);
                    let gain = slope * slope / curvature;
                    if gain > best {
                        best = gain;
                        partner = Some(start + t);
                    }
                }
            }
        }
        partner
    }

    /// Moves `i` up and `j` down by the same amount, as far as the optimum or the first bound.
    fn improve(&mut self, i: usize, j: usize) {
        let rows = self.diagonal.len();
        let curvature = (self.diagonal[i % rows] + self.diagonal[j % rows] - 2.0 * f64::from(self.row(i)[j % rows]))
            .max(MIN_CURVATURE);
        let wanted = (self.gradient[i] - self.gradient[j]) / curvature;
        let room_up = self.problem.upper[i] - self.value[i];
        let room_down = self.value[j] - self.problem.lower[j];
        let step = wanted.min(room_up).min(room_down);
        // A variable that reaches a bound gets the bound's exact value, because rounding could leave it slightly
        // inside.
        self.value[i] = if step == room_up { self.problem.upper[i] } else { self.value[i] + step };
        self.value[j] = if step == room_down { self.problem.lower[j] } else { self.value[j] - step };

        let kernel = self.problem.kernel;
        let up = kernel.row(i % rows).to_slice().expect("the rows of a kernel are contiguous");
        let down = kernel.row(j % rows).to_slice().expect("the rows of a kernel are contiguous");
        for block in self.gradient.chunks_exact_mut(rows) {
            for ((gradient, &up), &down) in block.iter_mut().zip(up).zip(down) {
                *gradient -= step * f64::from(up - down);
            }
        }
    }

    fn solution(&self) -> Solution {
        let mut coefficients = vec![0.0; self.diagonal.len()];
        for block in self.value.chunks_exact(coefficients.len()) {
            coefficients.iter_mut().zip(block).for_each(|(sum, &value)| *sum += value as f32);
        }
        Solution { coefficients, bias: self.bias() as f32 }
    }

    /// The bias: the mean gradient of the variables between their bounds. If there is none, the middle of the range
    /// that the variables at their bounds allow.
    fn bias(&self) -> f64 {
        let (mut sum, mut free) = (0.0, 0_usize);
        let (mut floor, mut ceiling) = (f64::NEG_INFINITY, f64::INFINITY);
        for (t, &gradient) in self.gradient.iter().enumerate() {
            let can_grow = self.value[t] < self.problem.upper[t];
            let can_shrink = self.value[t] > self.problem.lower[t];
            match (can_grow, can_shrink) {
                (true, true) => {
                    sum += gradient;
                    free += 1;
                }
                (true, false) => floor = floor.max(gradient),
                (false, _) => ceiling = ceiling.min(gradient),
            }
        }
        if free > 0 { sum / free as f64 } else { f64::midpoint(floor, ceiling) }
    }
}

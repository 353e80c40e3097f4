//! `svm`: a support vector machine with a linear or Gaussian kernel, one-versus-one for classes and
//! epsilon-insensitive for numbers.
//!
//! Images are scaled HOG features. Texts are sparse TF-IDF rows of word 1- and 2-grams, and they stay sparse: a kernel
//! needs inner products only, which the few terms that two texts share give exactly, so nothing is cut off by a
//! projection. What limits the training size is the dense kernel between all training rows.

mod kernel;
mod machine;
mod solve;
mod solver;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::ops::Range;

use bakeoff_datasets::{Inputs, Split, Targets};
use ndarray::{Array1, Array2, Axis};
use rayon::ThreadPool;

use crate::encode::features::{self, Encoder, Features, joined};
use crate::model::{Footprint, Model, ModelEntry, ModelError, Predictions, Spec, Support, TaskShape, Watch};
use crate::parallel;
use crate::params::{Default, Domain, Param};
use kernel::Kernel;
use machine::{Machine, pairs, vote};
use solve::{MOST_KERNEL_BYTES, Settings, Solver};

/// The registry's entry.
pub(crate) struct Svm;

const PARAMS: &[Param] = &[
    Param {
        name: "kernel",
        images: Default::Word("rbf"),
        texts: Default::Word("linear"),
        domain: Domain::Word(&["linear", "rbf"]),
        about: "linear x.y, or rbf exp(-gamma |x - y|²)",
        source: "rbf: LIBSVM's default; linear for texts: Joachims 1998, and equal or better on SST-2 in our measurement",
    },
    Param {
        name: "c",
        images: Default::Float(1.0),
        texts: Default::Float(1.0),
        domain: Domain::Float(1e-6, 1e6),
        about: "price of a violated margin",
        source: "scikit-learn's default; best of 1, 3, 10 on CIFAR-10 at 2,000 rows and of 0.5, 1 on SST-2",
    },
    Param {
        name: "gamma",
        images: Default::Float(0.0),
        texts: Default::Float(0.0),
        domain: Domain::Float(0.0, 1e6),
        about: "of the rbf kernel; 0 stands for 1 / (features x variance)",
        source: "scikit-learn's default, gamma=\"scale\"",
    },
    Param {
        name: "epsilon",
        images: Default::Float(0.1),
        texts: Default::Float(0.1),
        domain: Domain::Float(0.0, 10.0),
        about: "regression: errors below this cost nothing, in standard deviations of the training targets",
        source: "scikit-learn's and LIBSVM's default, on standardised targets",
    },
    Param {
        name: "tolerance",
        images: Default::Float(1e-3),
        texts: Default::Float(1e-3),
        domain: Domain::Float(1e-9, 1.0),
        about: "violation of the optimality conditions at which the solver stops",
        source: "LIBSVM's default",
    },
    Param {
        name: "terms",
        images: Default::Int(1_000_000),
        texts: Default::Int(1_000_000),
        domain: Domain::Int(1, 1_000_000),
        about: "texts: how many of the commonest word 1- and 2-grams are used",
        source: "all of them: sparse rows make them cheap, and dropping rare ones lost accuracy in our measurement",
    },
    Param {
        name: "solver",
        images: Default::Word("smo"),
        texts: Default::Word("smo"),
        domain: Domain::Word(&["smo", "linfa"]),
        about: "our sequential minimal optimisation on a shared kernel, or linfa-svm's",
        source: "the same solutions, many times faster: see docs/benchmarks.md",
    },
];

impl ModelEntry for Svm {
    fn name(&self) -> &'static str {
        "svm"
    }

    fn about(&self) -> &'static str {
        "support vector machine on HOG or TF-IDF features"
    }

    fn version(&self) -> String {
        "1 (linfa-svm 0.8.1)".to_owned()
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn supports(&self, shape: &TaskShape) -> Support {
        let rows = shape.train_rows as u64;
        let bytes = rows.saturating_mul(rows).saturating_mul(size_of::<f32>() as u64);
        if bytes > MOST_KERNEL_BYTES {
            let most = (MOST_KERNEL_BYTES / size_of::<f32>() as u64).isqrt();
            return Support::No {
                reason: format!(
                    "the kernel between {rows} training rows takes {bytes} bytes, more than {MOST_KERNEL_BYTES}; at \
                     most {most} rows fit"
                ),
            };
        }
        features::supports(&shape.input)
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        if let Support::No { reason } = self.supports(&spec.shape) {
            return Err(ModelError::Unsupported(reason));
        }
        Ok(Box::new(SupportVectors { spec: spec.clone(), pool: parallel::pool(spec.threads)?, fitted: None }))
    }
}

struct SupportVectors {
    spec: Spec,
    pool: ThreadPool,
    fitted: Option<Fitted>,
}

struct Fitted {
    encoder: Encoder,
    machine: Machine,
    answer: Answer,
}

/// How the machine's values become predictions.
enum Answer {
    /// One value per pair of these classes.
    Vote { classes: Vec<u16> },
    /// One value, in standard deviations from the mean of the training targets.
    Value { mean: f32, deviation: f32 },
}

impl Model for SupportVectors {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        self.fitted = None;
        let all = joined(train, validation);
        if all.is_empty() {
            return Err(ModelError::Failed("there is no training row".to_owned()));
        }
        let (encoder, features) = self.pool.install(|| Encoder::fit(&all.inputs, self.spec.params.int("terms")));
        let (machine, answer) = match &all.targets {
            Targets::Classes { labels, .. } => self.fit_classes(&features, labels, watch)?,
            Targets::Values(values) => self.fit_values(&features, values, watch)?,
        };
        self.fitted = Some(Fitted { encoder, machine, answer });
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        let Some(Fitted { encoder, machine, answer }) = &self.fitted else {
            return Err(ModelError::Failed("predict before fit".to_owned()));
        };
        let values = self.pool.install(|| encoder.encode(inputs).map(|rows| machine.values(&rows)))?;
        Ok(match answer {
            Answer::Vote { classes } => Predictions::Classes {
                labels: values.rows().into_iter().map(|row| vote(row, classes)).collect(),
                probabilities: None,
            },
            Answer::Value { mean, deviation } => {
                Predictions::Values(values.column(0).iter().map(|value| mean + deviation * value).collect())
            }
        })
    }

    fn footprint(&self) -> Footprint {
        self.fitted.as_ref().map_or_else(Footprint::default, |fitted| Footprint {
            parameters: fitted.machine.parameters(),
            bytes: fitted.machine.bytes() + fitted.encoder.bytes(),
            flops_per_example: fitted.machine.flops(),
        })
    }
}

impl SupportVectors {
    fn settings(&self, features: &Features) -> Settings {
        let params = &self.spec.params;
        let kernel = match params.word("kernel") {
            "linear" => Kernel::Linear,
            _ => {
                let gamma = params.float("gamma");
                Kernel::Rbf { gamma: if gamma > 0.0 { gamma } else { kernel::scale_gamma(features) } as f32 }
            }
        };
        Settings {
            kernel,
            c: params.float("c"),
            epsilon: params.float("epsilon"),
            tolerance: params.float("tolerance"),
        }
    }

    /// `largest`: rows of the largest problem; `problems`: how many there are.
    fn solver(
        &self,
        features: &Features,
        kernel: Kernel,
        largest: usize,
        problems: usize,
    ) -> Result<Solver, ModelError> {
        match self.spec.params.word("solver") {
            "smo" => Ok(self.pool.install(|| Solver::smo(features, kernel))),
            _ => Solver::linfa(features, largest, problems.min(self.spec.threads)),
        }
    }

    fn fit_classes(
        &self,
        features: &Features,
        labels: &[u16],
        watch: &mut dyn Watch,
    ) -> Result<(Machine, Answer), ModelError> {
        let (order, classes) = by_class(labels);
        let features = features.select(&order);
        let settings = self.settings(&features);
        let problems: Vec<(&Range<usize>, &Range<usize>)> =
            pairs(classes.len()).map(|(first, second)| (&classes[first].1, &classes[second].1)).collect();
        let largest = problems.iter().map(|(first, second)| first.len() + second.len()).max().unwrap_or(0);
        let solver = self.solver(&features, settings.kernel, largest, problems.len())?;
        let solutions = parallel::map(&self.pool, problems.len(), watch, |index| {
            let (first, second) = problems[index];
            solver.classify(first, second, &settings)
        });
        let mut coefficients = Array2::zeros((features.len(), problems.len()));
        let mut bias = Array1::zeros(problems.len());
        for (index, (solution, (first, second))) in solutions.into_iter().zip(&problems).enumerate() {
            let solution = solution?;
            let rows = first.start..first.end;
            for (row, coefficient) in rows.chain(second.start..second.end).zip(solution.coefficients) {
                coefficients[[row, index]] = coefficient;
            }
            bias[index] = solution.bias;
        }
        let machine = Machine::new(settings.kernel, &features, &coefficients, bias);
        Ok((machine, Answer::Vote { classes: classes.into_iter().map(|(class, _)| class).collect() }))
    }

    fn fit_values(
        &self,
        features: &Features,
        values: &[f32],
        watch: &mut dyn Watch,
    ) -> Result<(Machine, Answer), ModelError> {
        let settings = self.settings(features);
        let wide: Array1<f64> = values.iter().map(|&v| f64::from(v)).collect();
        let mean = wide.mean().expect("there is a training row");
        let deviation = Some(wide.std(0.0)).filter(|&d| d > 0.0).unwrap_or(1.0);
        let standard: Vec<f32> = wide.iter().map(|v| ((v - mean) / deviation) as f32).collect();
        let solver = self.solver(features, settings.kernel, values.len(), 1)?;
        let mut solutions = parallel::map(&self.pool, 1, watch, |_| solver.regress(&standard, &settings));
        let solution = solutions.remove(0)?;
        let coefficients = Array1::from(solution.coefficients).insert_axis(Axis(1));
        let machine = Machine::new(settings.kernel, features, &coefficients, Array1::from_elem(1, solution.bias));
        Ok((machine, Answer::Value { mean: mean as f32, deviation: deviation as f32 }))
    }
}

/// The rows in the order of their classes, and the range of each class that has a row.
fn by_class(labels: &[u16]) -> (Vec<usize>, Vec<(u16, Range<usize>)>) {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(|&row| labels[row]);
    let mut classes: Vec<(u16, Range<usize>)> = Vec::new();
    for (place, &row) in order.iter().enumerate() {
        match classes.last_mut() {
            Some((class, range)) if *class == labels[row] => range.end = place + 1,
            _ => classes.push((labels[row], place..place + 1)),
        }
    }
    (order, classes)
}

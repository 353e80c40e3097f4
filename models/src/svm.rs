//! `svm`: a support vector machine with a linear or a Gaussian kernel. It is one-versus-one for classes and
//! epsilon-insensitive for numbers.
//!
//! Images become HOG features, pixels, or both. Texts become sparse TF-IDF rows of word 1- and 2-grams, and the rows
//! stay sparse. A kernel needs inner products only, and the few terms that two texts share give them exactly. So no
//! projection is needed, which would lose information. A pair of texts becomes such rows of both texts and of their
//! overlap (`encode/pairs.rs`). Features can also be those of a network (`encode/classic.rs`).
//!
//! Two things limit the training size: the dense kernel between all training rows and, with hundreds of classes, the
//! coefficient of each row for each pair of classes.

mod classifier;
mod kernel;
mod machine;
mod solve;
mod solver;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::path::Path;
use std::sync::Arc;

use bakeoff_datasets::{Inputs, Split, Targets};
use ndarray::{Array1, Axis};
use rayon::ThreadPool;

use crate::artefact::{self, ArraysOut, Loaded};
use crate::encode::classic::{self, CONCATENATE, ClassicEncoder, ClassicState, Numbers};
use crate::encode::features::joined;
pub use crate::encode::features::{Encoder, FeatureParams, Features};
pub use crate::encode::images::ImageFeatures;
pub use crate::encode::sparse::SparseRows;
use crate::encode::words::Tokens;
use crate::model::{
    Device, Footprint, Model, ModelEntry, ModelError, Predictions, Spec, Support, TargetShape, TaskShape, Watch,
};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, Param, ParamError, Resolved};
use crate::search::{Scale, Search, SearchDefault};
use crate::target_scale::TargetScale;
pub use classifier::Classifier;
pub use kernel::Kernel;
use machine::{FittedMachine, MachineForm};
use solve::{MOST_KERNEL_BYTES, Solver, kernel_bytes};
pub use solve::{Method, ProblemSettings};

/// The entry in the registry.
pub(crate) struct Svm;

const PARAMS: &[Param] = &[
    Param {
        name: "kernel",
        images: DefaultValue::Word("rbf"),
        texts: DefaultValue::Word("linear"),
        tables: DefaultValue::Word("rbf"),
        domain: Domain::Word(&["linear", "rbf"]),
        about: "linear x.y, or rbf exp(-gamma |x - y|²)",
        source: "rbf: LIBSVM's default; linear for texts: Joachims 1998, and chosen on SST-2's validation rows too",
        search: Some(Search::of_all(SearchDefault::Words(&["linear", "rbf"]), "both of ours")),
    },
    Param {
        name: "c",
        images: DefaultValue::Float(1.0),
        texts: DefaultValue::Float(1.0),
        tables: DefaultValue::Float(1.0),
        domain: Domain::Float(1e-6, 1e6),
        about: "penalty for a violated margin",
        source: "scikit-learn's default; no search trial on CIFAR-10's validation rows was better",
        search: Some(Search::of_all(
            SearchDefault::Between(Scale::Log, 0.031_25, 32_768.0),
            "2^-5 to 2^15: LIBSVM's guide (Hsu, Chang and Lin 2003)",
        )),
    },
    Param {
        name: "gamma",
        images: DefaultValue::Float(0.0),
        texts: DefaultValue::Float(0.0),
        tables: DefaultValue::Float(0.0),
        domain: Domain::Float(0.0, 1e6),
        about: "of the rbf kernel; 0 stands for 1 / (features x variance)",
        source: "scikit-learn's default, gamma=\"scale\"",
        search: Some(Search::of_all(
            SearchDefault::Between(Scale::Log, 3.051_757_812_5e-5, 8.0),
            "2^-15 to 2^3: LIBSVM's guide (Hsu, Chang and Lin 2003); the linear kernel has none",
        )),
    },
    Param {
        name: "epsilon",
        images: DefaultValue::Float(0.1),
        texts: DefaultValue::Float(0.1),
        tables: DefaultValue::Float(0.1),
        domain: Domain::Float(0.0, 10.0),
        about: "regression: errors below this cost nothing, in standard deviations of the training targets",
        source: "scikit-learn's and LIBSVM's default, on standardised targets",
        search: None,
    },
    Param {
        name: "tolerance",
        images: DefaultValue::Float(1e-3),
        texts: DefaultValue::Float(1e-3),
        tables: DefaultValue::Float(1e-3),
        domain: Domain::Float(1e-9, 1.0),
        about: "violation of the optimality conditions at which the solver stops",
        source: "LIBSVM's default",
        search: None,
    },
    classic::features_param(
        "hog+pixels",
        "validation tenths: CIFAR-10, 2,000 rows, both 0.534, HOG 0.507, pixels 0.376; grey digits, 1,797 rows, both 0.994, HOG \
         0.992, pixels 0.987; turned images, mean squared error, both 832, HOG 907",
    ),
    CONCATENATE,
    Tokens::param(
        "words-or-marks",
        "SST-2, 8,000 rows, five validation tenths: words 0.822, words and marks 0.819, scikit-learn's words 0.820",
    ),
    Param {
        name: "terms",
        images: DefaultValue::Int(1_000_000),
        texts: DefaultValue::Int(1_000_000),
        tables: DefaultValue::Int(1_000_000),
        domain: Domain::Int(1, 1_000_000),
        about: "texts: how many of the commonest word 1- and 2-grams are used; for pairs, a quarter of them in each of four blocks",
        source: "all of them, because sparse rows make them cheap",
        search: None,
    },
    Param {
        name: "solver",
        images: DefaultValue::Word("smo"),
        texts: DefaultValue::Word("smo"),
        tables: DefaultValue::Word("smo"),
        domain: Domain::Word(&["smo", "linfa"]),
        about: "our sequential minimal optimisation on a shared kernel, or linfa-svm's",
        source: "the same solutions, many times faster: see docs/benchmarks.md",
        search: None,
    },
];

impl ModelEntry for Svm {
    fn name(&self) -> &'static str {
        "svm"
    }

    fn about(&self) -> &'static str {
        "support vector machine on features (HOG and pixels, TF-IDF, columns of a table, or those of a network)"
    }

    fn version(&self, _device: Device) -> String {
        "2 (linfa-svm 0.8.1; own SMO unless solver=linfa)".to_owned()
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn learns_from_validation(&self) -> bool {
        true
    }

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        let rows = shape.train_rows;
        let bytes = kernel_bytes::<f32>(rows);
        if bytes > MOST_KERNEL_BYTES {
            let most = (MOST_KERNEL_BYTES / size_of::<f32>() as u64).isqrt();
            return Support::No {
                reason: format!(
                    "the kernel between {rows} training rows takes {bytes} bytes, more than {MOST_KERNEL_BYTES}; at \
                     most {most} rows fit: set train_size = {most} or less for the task"
                ),
            };
        }
        let classes = match shape.target {
            TargetShape::Classes(classes) => classes,
            TargetShape::Value => 0,
        };
        if let Support::No { reason } =
            classifier::fits_in_memory(rows, ("training rows", "set train_size for the task"), classes)
        {
            return Support::No { reason };
        }
        classic::supports(shape, params, device)
    }

    fn check(&self, params: &Resolved) -> Result<(), ParamError> {
        classic::check(params)
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        // Both times grow with the square of the number of rows. The time for the kernel also grows with the number of
        // features. Measured at 2,000 to 8,000 rows.
        let solve_s = 3e-8;
        // Sparse rows share few terms.
        let dense = match classic::is_sparse(&shape.input, params) {
            true => 0,
            false => classic::width(shape, params),
        };
        let network_s = classic::fit_s(shape, params, threads, device)?;
        Some(network_s + (solve_s + 1e-10 * dense as f64) * (shape.train_rows as f64).powi(2) / threads as f64)
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        if let Support::No { reason } = self.supports(&spec.shape, &spec.params, spec.device) {
            return Err(ModelError::Unsupported(reason));
        }
        Ok(Box::new(SupportVectors { spec: spec.clone(), pool: spec.threads.pool()?, fitted: None }))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        let (loaded, folders) = artefact::parts::load::<ClassicState>(folder, self, threads, device)?;
        let Loaded { spec, state, mut arrays } = loaded;
        let encoder = ClassicEncoder::load(state, &folders, &spec, &mut arrays)?;
        let form = MachineForm {
            is_linear: spec.params.word("kernel") == "linear",
            features: encoder.width(),
            is_sparse: classic::is_sparse(&spec.shape.input, &spec.params),
        };
        let predictor = match spec.shape.target {
            TargetShape::Classes(classes) => Predictor::Classes(Classifier::load(form, classes, &mut arrays)?),
            TargetShape::Value => Predictor::Value {
                mean: arrays.take("target.mean", &[1])?[0],
                deviation: arrays.take("target.deviation", &[1])?[0],
                machine: FittedMachine::load(form, 1, &mut arrays)?,
            },
        };
        arrays.finish()?;
        Ok(Box::new(SupportVectors { pool: spec.threads.pool()?, spec, fitted: Some(Fitted { encoder, predictor }) }))
    }
}

struct SupportVectors {
    spec: Spec,
    pool: Arc<ThreadPool>,
    fitted: Option<Fitted>,
}

struct Fitted {
    encoder: ClassicEncoder,
    predictor: Predictor,
}

enum Predictor {
    Classes(Classifier),
    /// The machine predicts one value, in standard deviations from the mean of the training targets.
    Value {
        machine: FittedMachine,
        mean: f32,
        deviation: f32,
    },
}

impl Predictor {
    fn machine(&self) -> &FittedMachine {
        match self {
            Predictor::Classes(classifier) => &classifier.machine,
            Predictor::Value { machine, .. } => machine,
        }
    }
}

impl Model for SupportVectors {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        self.fitted = None;
        let all = joined(train, validation);
        if all.is_empty() {
            return Err(ModelError::Failed("there is no training row".to_owned()));
        }
        let (encoder, features) =
            ClassicEncoder::fit(&self.spec, (train, validation, &all.inputs), Numbers::Scaled, &self.pool, watch)?;
        let settings = self.settings(&features);
        let predictor = match &all.targets {
            Targets::Classes { labels, .. } => {
                Predictor::Classes(Classifier::fit(&features, labels, &settings, self.method(), &self.pool, watch)?)
            }
            Targets::Values(values) => self.fit_values(&features, values, &settings, watch)?,
        };
        self.fitted = Some(Fitted { encoder, predictor });
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        let Some(Fitted { encoder, predictor }) = &mut self.fitted else {
            return Err(ModelError::Failed("predict before fit".to_owned()));
        };
        let rows = encoder.encode(inputs, &self.pool)?;
        Ok(self.pool.install(|| match &*predictor {
            Predictor::Classes(classifier) => {
                Predictions::Classes { labels: classifier.predict(&rows), probabilities: None }
            }
            Predictor::Value { machine, mean, deviation } => Predictions::Values(
                machine.values(&rows).column(0).iter().map(|value| mean + deviation * value).collect(),
            ),
        }))
    }

    fn threads(&self) -> Option<usize> {
        Some(self.pool.current_num_threads())
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        let Some(Fitted { encoder, predictor }) = &self.fitted else {
            return Err(ModelError::Failed("save before fit".to_owned()));
        };
        let mut arrays = ArraysOut::default();
        let state = encoder.save(&mut arrays);
        match predictor {
            Predictor::Classes(classifier) => classifier.save(&mut arrays),
            Predictor::Value { machine, mean, deviation } => {
                machine.save(&mut arrays);
                arrays.add("target.mean", &[1], [*mean]);
                arrays.add("target.deviation", &[1], [*deviation]);
            }
        }
        artefact::parts::save(folder, &Svm, &self.spec, (state, &arrays), &encoder.parts())
    }

    fn footprint(&self) -> Footprint {
        self.fitted.as_ref().map_or_else(Footprint::default, |fitted| {
            let machine = fitted.predictor.machine();
            let flops = machine.flops();
            // Each number, of four bytes, is read once for a multiply-add, which counts as two operations.
            let own = Footprint {
                parameters: machine.parameters(),
                flops_per_example: flops,
                weight_bytes: flops.map(|flops| 2 * flops),
            };
            fitted.encoder.footprint(own)
        })
    }

    fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        self.fitted.as_ref().and_then(|fitted| fitted.encoder.wordless(inputs))
    }

    fn support_vectors(&self) -> Option<usize> {
        self.fitted.as_ref().and_then(|fitted| fitted.predictor.machine().support())
    }

    fn truncated(&self, inputs: &Inputs) -> Option<usize> {
        self.fitted.as_ref().and_then(|fitted| fitted.encoder.truncated(inputs))
    }
}

impl SupportVectors {
    fn settings(&self, features: &Features) -> ProblemSettings {
        let params = &self.spec.params;
        let kernel = match (params.word("kernel"), params.float("gamma")) {
            ("linear", _) => Kernel::Linear,
            (_, 0.0) => Kernel::rbf_for(features),
            (_, gamma) => Kernel::Rbf { gamma: gamma as f32 },
        };
        ProblemSettings {
            kernel,
            c: params.float("c"),
            epsilon: params.float("epsilon"),
            tolerance: params.float("tolerance"),
        }
    }

    fn method(&self) -> Method {
        match self.spec.params.word("solver") {
            "linfa" => Method::Linfa,
            _ => Method::Smo,
        }
    }

    fn fit_values(
        &self,
        features: &Features,
        values: &[f32],
        settings: &ProblemSettings,
        watch: &mut dyn Watch,
    ) -> Result<Predictor, ModelError> {
        let TargetScale { mean, deviation } = TargetScale::fit(values);
        let standard: Vec<f32> = values.iter().map(|&v| ((f64::from(v) - mean) / deviation) as f32).collect();
        let method = self.method();
        let solver = self.pool.install(|| Solver::new(method, features, settings.kernel, values.len(), 1))?;
        let solution = solver.regress(&standard, settings)?;
        watch.progress(1, 1);
        let coefficients = Array1::from(solution.coefficients).insert_axis(Axis(1));
        let machine = FittedMachine::new(settings.kernel, features, &coefficients, Array1::from_elem(1, solution.bias));
        Ok(Predictor::Value { machine, mean: mean as f32, deviation: deviation as f32 })
    }
}

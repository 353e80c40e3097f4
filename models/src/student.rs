//! `student`: a cheap model that learns what a costly one answers, and not only the labels (knowledge distillation).
//!
//! The teacher is fitted first, on the same rows. Then the learner is fitted on the teacher's log-probabilities of those rows as
//! numbers (Ba and Caruana 2014, "Do Deep Nets Really Need to be Deep?", section 3.1). There is one learner for each class, or one
//! for the log-odds of two classes. The student answers with the softmax of their numbers. Where a number is to be predicted, the
//! learner learns the teacher's predictions. A share of the truth can be mixed in (Hinton et al. 2015, section 2).
//!
//! Rows without labels can be added (`unlabelled`): the training rows that the size of a case leaves out, as inputs alone. The teacher
//! answers for them, and the learners learn from its answers. Only the learners are saved: the teacher is a cost of the fit, not of a
//! prediction.

#[cfg(test)]
mod reference;
mod soft_targets;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::path::{Path, PathBuf};

use bakeoff_datasets::{Inputs, Split, Targets};

use self::soft_targets::{learners, outputs, soft_targets};
use crate::artefact::{ArraysOut, Loaded, parts};
use crate::encode::features::extend;
use crate::ensemble::check_alone;
use crate::model::{
    Device, EpochReport, Footprint, Model, ModelEntry, ModelError, Predictions, Spec, Support, TargetShape, TaskShape,
    UNLABELLED, Watch,
};
use crate::neural::head::Head;
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, ModelValue, Param, ParamError, Resolved};
use crate::part::{PartWatch, blamed};

/// The entry in the registry.
pub(crate) struct Student;

/// The share of a budget at which the teacher stops to learn.
const TEACHER_SHARE: f64 = 0.7;

/// The most unlabelled rows that can be asked for. No task has so many.
const MOST_UNLABELLED: i64 = 100_000_000;

const PARAMS: &[Param] = &[
    Param {
        name: "teacher",
        images: DefaultValue::Word("resnet"),
        texts: DefaultValue::Word("transformer"),
        tables: DefaultValue::Word("transformer"),
        domain: Domain::Model(&[
            "transformer",
            "resnet",
            "cnn",
            "lstm",
            "gru",
            "encoder",
            "mlp",
            "svm",
            "random-forest",
            "decision-tree",
            "fusion",
        ]),
        about: "the model whose answers are learned; it is fitted first, on the same rows",
        source: "our own choice: networks that need no further files",
        search: None,
    },
    Param {
        name: "learner",
        images: DefaultValue::Word("svm"),
        texts: DefaultValue::Word("svm"),
        tables: DefaultValue::Word("svm"),
        domain: Domain::Model(&["svm", "random-forest", "decision-tree", "mlp"]),
        about: "the model that learns them as numbers, one for each class or one for the log-odds of two classes",
        source: "our own choice; logarithms of probabilities as numbers: Ba and Caruana 2014",
        search: None,
    },
    Param {
        name: "truth",
        images: DefaultValue::Float(0.0),
        texts: DefaultValue::Float(0.0),
        tables: DefaultValue::Float(0.0),
        domain: Domain::Float(0.0, 1.0),
        about: "the share of the true target in what is learned of labelled rows; the rest is the teacher's answer",
        source: "0: Ba and Caruana 2014; the idea of a share: Hinton et al. 2015",
        search: None,
    },
    Param {
        name: UNLABELLED,
        images: DefaultValue::Int(0),
        texts: DefaultValue::Int(0),
        tables: DefaultValue::Int(0),
        domain: Domain::Int(0, MOST_UNLABELLED),
        about: "training rows that train_size leaves out, given without their labels; the teacher answers for them",
        source: "0: the labelled rows alone; the idea of more rows: Ba and Caruana 2014, Hinton et al. 2015",
        search: None,
    },
];

fn teacher(params: &Resolved) -> &ModelValue {
    params.model("teacher").expect("the domain of the teacher has models only")
}

fn learner(params: &Resolved) -> &ModelValue {
    params.model("learner").expect("the domain of the learner has models only")
}

/// What the learners of a task do: each predicts a number, and learns from the unlabelled rows too.
fn learner_shape(shape: &TaskShape, params: &Resolved) -> TaskShape {
    // A mirrored image is of the same class.
    let mirror_negates = shape.mirror_negates && shape.target == TargetShape::Value;
    let train_rows = shape.train_rows + params.int(UNLABELLED);
    TaskShape { target: TargetShape::Value, train_rows, mirror_negates, ..*shape }
}

impl ModelEntry for Student {
    fn name(&self) -> &'static str {
        "student"
    }

    fn about(&self) -> &'static str {
        "cheap model that learns the answers of a costly one (Ba and Caruana 2014)"
    }

    fn version(&self, _device: Device) -> String {
        "1".to_owned()
    }

    fn params(&self) -> &'static [Param] {
        PARAMS
    }

    fn learns_from_validation(&self) -> bool {
        // The learner may, and the teacher's answers for those rows are among what it learns.
        true
    }

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        if shape.input.is_table() {
            return Support::No {
                reason: "a student learns from images or texts, and the inputs are rows of a table".to_owned(),
            };
        }
        if let no @ Support::No { .. } = device.processor_alone() {
            return no;
        }
        let supports = |model: &ModelValue, shape: &TaskShape| model.entry().supports(shape, model.params(), device);
        let (teacher, learner, all) = (teacher(params), learner(params), learner_shape(shape, params));
        if let Support::No { reason } = supports(teacher, shape) {
            return Support::No { reason: format!("teacher = {}: {reason}", teacher.name()) };
        }
        let Support::No { reason } = supports(learner, &all) else { return Support::Yes };
        let labelled_alone = supports(learner, &TaskShape { train_rows: shape.train_rows, ..all });
        let too_many = match labelled_alone {
            Support::Yes => {
                let unlabelled = self.unlabelled(params);
                format!("; {unlabelled} of these rows are unlabelled, so set {UNLABELLED} to fewer")
            }
            Support::No { .. } => String::new(),
        };
        Support::No { reason: format!("learner = {}: {reason}{too_many}", learner.name()) }
    }

    fn check(&self, params: &Resolved) -> Result<(), ParamError> {
        check_alone("learner", learner(params))
    }

    fn unlabelled(&self, params: &Resolved) -> usize {
        params.int(UNLABELLED)
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        // The teacher's answers are left out: a prediction costs a third of a training step, and there is one for each row.
        let (teacher, learner) = (teacher(params), learner(params));
        let teacher_s = teacher.entry().fit_s(shape, teacher.params(), threads, device)?;
        let learner_s = learner.entry().fit_s(&learner_shape(shape, params), learner.params(), threads, device)?;
        Some(teacher_s + learners(shape.target) as f64 * learner_s)
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        if let Support::No { reason } = self.supports(&spec.shape, &spec.params, spec.device) {
            return Err(ModelError::Unsupported(reason));
        }
        let value = learner(&spec.params);
        let build = |number: usize| {
            let seed = if number == 0 { spec.seed } else { spec.seed_for(&format!("learner-{number}")) };
            let (shape, params) = (learner_shape(&spec.shape, &spec.params), value.params().clone());
            let built = value.entry().build(&Spec { shape, params, seed, ..spec.clone() });
            built.map_err(|error| blamed("learner", value, error))
        };
        let learners = (0..learners(spec.shape.target)).map(build).collect::<Result<_, _>>()?;
        Ok(Box::new(Distilled { spec: spec.clone(), learners, is_fitted: false }))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        let (loaded, folders) = parts::load::<()>(folder, self, threads, device)?;
        let Loaded { spec, arrays, .. } = loaded;
        let (count, expected) = (folders.len(), learners(spec.shape.target));
        if count != expected {
            return Err(arrays.refused(format!("goes with {count} parts, expected {expected}: save the model again")));
        }
        let (value, shape) = (learner(&spec.params), learner_shape(&spec.shape, &spec.params));
        let load = |folder: &PathBuf| {
            parts::load_part(folder, (value.entry(), value.params()), &shape, spec.threads.clone(), device)
        };
        let learners = folders.iter().map(load).collect::<Result<_, _>>()?;
        arrays.finish()?;
        Ok(Box::new(Distilled { spec, learners, is_fitted: true }))
    }
}

/// The learners, one for each number that is learned.
struct Distilled {
    spec: Spec,
    learners: Vec<Box<dyn Model>>,
    is_fitted: bool,
}

impl Model for Distilled {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        self.fit_with_unlabelled(train, validation, &train.inputs.select(&[]), watch)
    }

    fn fit_with_unlabelled(
        &mut self,
        train: &Split,
        validation: &Split,
        unlabelled: &Inputs,
        watch: &mut dyn Watch,
    ) -> Result<(), ModelError> {
        self.is_fitted = false;
        let (params, target) = (&self.spec.params, self.spec.shape.target);
        let (teacher, learner, truth) = (teacher(params), learner(params), params.float("truth"));
        let [taught, checked] = {
            let of_teacher = |error| blamed("teacher", teacher, error);
            let spec = Spec { params: teacher.params().clone(), ..self.spec.clone() };
            let mut model = teacher.entry().build(&spec).map_err(of_teacher)?;
            model.fit(train, validation, &mut PartWatch::new(watch, TEACHER_SHARE)).map_err(of_teacher)?;
            let mut answers = |inputs: &Inputs, truth: Option<(&Targets, f64)>| {
                let answers = model.predict(inputs).map_err(of_teacher)?;
                soft_targets(&answers, target, truth).map_err(|text| of_teacher(ModelError::Failed(text)))
            };
            let mut taught = answers(&train.inputs, Some((&train.targets, truth)))?;
            let checked = answers(&validation.inputs, Some((&validation.targets, truth)))?;
            if !unlabelled.is_empty() {
                let more = answers(unlabelled, None)?;
                taught.iter_mut().zip(more).for_each(|(column, more)| column.extend(more));
            }
            [taught, checked]
        };
        let count = self.learners.len();
        let [mut taught_rows, mut checked_rows] = [train, validation].map(Split::clone);
        extend(&mut taught_rows.inputs, unlabelled);
        for (number, (model, (taught, checked))) in
            self.learners.iter_mut().zip(taught.into_iter().zip(checked)).enumerate()
        {
            taught_rows.targets = Targets::Values(taught);
            checked_rows.targets = Targets::Values(checked.clone());
            let end = TEACHER_SHARE + (1.0 - TEACHER_SHARE) * (number + 1) as f64 / count as f64;
            let part = PartWatch::new(watch, end);
            let mut watch = LearnerWatch { part, numbers: &checked, before: number, count };
            let fitted = model.fit(&taught_rows, &checked_rows, &mut watch);
            fitted.map_err(|error| blamed("learner", learner, error))?;
        }
        self.is_fitted = true;
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        if !self.is_fitted {
            return Err(ModelError::Failed("predict before fit".to_owned()));
        }
        let mut columns = Vec::with_capacity(self.learners.len());
        for model in &mut self.learners {
            match model.predict(inputs)? {
                Predictions::Values(numbers) => columns.push(numbers),
                Predictions::Classes { .. } => {
                    return Err(ModelError::Failed("a learner predicts classes and no numbers".to_owned()));
                }
            }
        }
        Ok(match self.spec.shape.target {
            TargetShape::Value => Predictions::Values(columns.concat()),
            TargetShape::Classes(classes) => Head::Classes(classes).decode(&outputs(&columns, classes)),
        })
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        if !self.is_fitted {
            return Err(ModelError::Failed("save before fit".to_owned()));
        }
        let learners: Vec<&dyn Model> = self.learners.iter().map(|model| &**model).collect();
        parts::save(folder, &Student, &self.spec, ((), &ArraysOut::default()), &learners)
    }

    fn footprint(&self) -> Footprint {
        let each = || self.learners.iter().map(|model| model.footprint());
        Footprint {
            parameters: each().map(|footprint| footprint.parameters).sum(),
            flops_per_example: each().map(|footprint| footprint.flops_per_example).sum(),
            weight_bytes: each().map(|footprint| footprint.weight_bytes).sum(),
        }
    }

    fn threads(&self) -> Option<usize> {
        self.learners.first().and_then(|model| model.threads())
    }

    fn truncated(&self, inputs: &Inputs) -> Option<usize> {
        self.learners.first().and_then(|model| model.truncated(inputs))
    }

    fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        self.learners.first().and_then(|model| model.wordless(inputs))
    }
}

/// What the fit of a learner reports. Its epochs are chosen by how near they are to the teacher on the validation rows, because no score
/// of the task says how good a single logarithm is.
struct LearnerWatch<'a> {
    part: PartWatch<'a>,
    /// What the validation rows ask for.
    numbers: &'a [f32],
    /// How many learners were fitted before.
    before: usize,
    count: usize,
}

impl Watch for LearnerWatch<'_> {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        let diverged = |what: &str| ModelError::Diverged { epoch: report.epoch, what: what.to_owned() };
        if !report.train_loss.is_finite() {
            return Err(diverged("the training loss"));
        }
        let Predictions::Values(found) = report.validation else {
            return Err(ModelError::Failed("a learner predicts classes and no numbers".to_owned()));
        };
        let squares = found.iter().zip(self.numbers).map(|(found, asked)| f64::from(found - asked).powi(2));
        let error = squares.sum::<f64>() / self.numbers.len().max(1) as f64;
        self.progress(report.epoch, report.epochs);
        if report.validation.is_empty() {
            // There is nothing to choose by, so the last epoch is the best.
            return Ok(report.epoch as f64);
        }
        if error.is_finite() { Ok(-error) } else { Err(diverged("a validation prediction")) }
    }

    fn part_epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.epoch(report)
    }

    fn progress(&mut self, done: usize, total: usize) {
        self.part.progress(self.before * total + done, self.count * total);
    }

    fn spent(&mut self) -> Option<f64> {
        self.part.spent()
    }
}

//! Ensembles: several fits of one model that differ only in their seed, and their combined answer (Lakshminarayanan et al.
//! 2017).
//!
//! [`Ensembled`] gives a model the parameter `ensemble`, and the model itself knows nothing of it. With `ensemble = 1` it
//! builds and loads the model alone. Probabilities and numbers are averaged. Classes without probabilities are voted on.

mod answers;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bakeoff_datasets::{DataFile, Images, Inputs, Split};

use self::answers::MemberAnswers;
use crate::artefact;
use crate::model::{
    Device, EpochReport, Footprint, Model, ModelEntry, ModelError, Predictions, Spec, Support, TaskShape, Watch,
};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, ModelValue, Param, ParamError, Resolved};

/// The most members of an ensemble.
const MOST_MEMBERS: i64 = 100;

const ENSEMBLE: Param = Param {
    name: "ensemble",
    images: DefaultValue::Int(1),
    texts: DefaultValue::Int(1),
    tables: DefaultValue::Int(1),
    domain: Domain::Int(1, MOST_MEMBERS),
    about: "members: fits that differ only in their seed; their probabilities or numbers are averaged, and classes \
            without probabilities are voted on; 1 is the model alone",
    source: "1: the model alone; the mean of probabilities: Lakshminarayanan et al. 2017",
    search: None,
};

/// A model of the registry that can also be an ensemble of itself.
pub struct Ensembled {
    entry: &'static dyn ModelEntry,
    params: OnceLock<Vec<Param>>,
}

impl Ensembled {
    /// This model with the parameter `ensemble`, which it must not have itself. It must save an `artefact.json`, as every
    /// model of this crate does.
    pub const fn of(entry: &'static dyn ModelEntry) -> Ensembled {
        Ensembled { entry, params: OnceLock::new() }
    }
}

/// Checks that the model that is the value of a parameter is no ensemble.
///
/// # Errors
/// Names the parameter.
pub(crate) fn check_alone(parameter: &str, model: &ModelValue) -> Result<(), ParamError> {
    let (members, name) = (model.params().int(ENSEMBLE.name), model.name());
    if members == 1 {
        return Ok(());
    }
    Err(ParamError::Domain {
        name: parameter.to_owned(),
        found: format!("an ensemble of {members} {name}"),
        expected: format!("{name} alone, ensemble = 1"),
    })
}

/// These parameters without the number of members, as an artefact of a model alone has them.
pub(crate) fn of_one(params: &Resolved) -> Resolved {
    split(params).1
}

/// How many members these parameters ask for, and the parameters of each.
fn split(params: &Resolved) -> (usize, Resolved) {
    (params.int(ENSEMBLE.name), params.without(ENSEMBLE.name))
}

impl ModelEntry for Ensembled {
    fn name(&self) -> &str {
        self.entry.name()
    }

    fn about(&self) -> &str {
        self.entry.about()
    }

    fn version(&self, device: Device) -> String {
        self.entry.version(device)
    }

    fn params(&self) -> &[Param] {
        self.params.get_or_init(|| [self.entry.params(), &[ENSEMBLE]].concat())
    }

    fn learns_from_validation(&self) -> bool {
        self.entry.learns_from_validation()
    }

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        // The members are fitted one after the other, so what a fit holds is what one of them holds.
        self.entry.supports(shape, &split(params).1, device)
    }

    fn check(&self, params: &Resolved) -> Result<(), ParamError> {
        self.entry.check(&split(params).1)
    }

    fn check_files(&self, params: &Resolved) -> Result<(), ParamError> {
        self.entry.check_files(&split(params).1)
    }

    fn files(&self, params: &Resolved) -> Vec<&'static DataFile> {
        self.entry.files(&split(params).1)
    }

    fn seen(&self, params: &Resolved) -> Option<Vec<&'static str>> {
        self.entry.seen(&split(params).1)
    }

    fn own_files(&self, params: &Resolved) -> Result<Vec<PathBuf>, ModelError> {
        self.entry.own_files(&split(params).1)
    }

    fn unlabelled(&self, params: &Resolved) -> usize {
        self.entry.unlabelled(&split(params).1)
    }

    fn pooled_width(&self, shape: &TaskShape, params: &Resolved) -> Option<usize> {
        let (count, params) = split(params);
        self.entry.pooled_width(shape, &params).filter(|_| count == 1)
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        let (count, params) = split(params);
        Some(count as f64 * self.entry.fit_s(shape, &params, threads, device)?)
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        let (count, params) = split(&spec.params);
        let first = Spec { params, ..spec.clone() };
        if count == 1 {
            return self.entry.build(&first);
        }
        let build = |member| self.entry.build(&Spec { seed: seed_of(&first, member), ..first.clone() });
        let members = (1..=count).map(build).collect::<Result<_, _>>()?;
        Ok(Box::new(Ensemble { entry: self.entry, members, is_fitted: false }))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        let Some(folders) = artefact::ensemble::folders(folder, self, MOST_MEMBERS as usize)? else {
            return self.entry.load(folder, threads, device);
        };
        let load = |folder: &PathBuf| self.entry.load(folder, threads.clone(), device);
        let members = folders.iter().map(load).collect::<Result<_, _>>()?;
        artefact::ensemble::check_alike(&folders)?;
        Ok(Box::new(Ensemble { entry: self.entry, members, is_fitted: true }))
    }
}

/// The seed of a member, counted from 1. The first is the model alone, so that the others show what they add to it.
fn seed_of(spec: &Spec, member: usize) -> u64 {
    if member == 1 { spec.seed } else { spec.seed_for(&format!("member-{member}")) }
}

/// Members of one model, at least two. All of them are kept, so it takes as many times the memory of a fitted model.
struct Ensemble {
    entry: &'static dyn ModelEntry,
    members: Vec<Box<dyn Model>>,
    is_fitted: bool,
}

impl Ensemble {
    /// The first member. It answers for all: they share their threads, and what an encoder makes of inputs does not depend on
    /// the seed.
    fn first(&self) -> Option<&dyn Model> {
        self.members.first().map(Box::as_ref)
    }

    /// Fits each member in its turn by `fit`.
    fn fit_each(
        &mut self,
        watch: &mut dyn Watch,
        fit: impl Fn(&mut dyn Model, &mut dyn Watch) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        self.is_fitted = false;
        let count = self.members.len();
        let mut epochs_before = 0;
        for (index, model) in self.members.iter_mut().enumerate() {
            let member = Member { number: index + 1, count };
            let mut watch = MemberWatch { watch, member, epochs_before, epochs: 0 };
            fit(model.as_mut(), &mut watch).map_err(|error| member.blamed(error, epochs_before))?;
            epochs_before += watch.epochs;
        }
        self.is_fitted = true;
        Ok(())
    }

    fn check_fitted(&self, what: &str) -> Result<(), ModelError> {
        if self.is_fitted { Ok(()) } else { Err(ModelError::Failed(format!("{what} before fit"))) }
    }
}

impl Model for Ensemble {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        self.fit_each(watch, |model, watch| model.fit(train, validation, watch))
    }

    fn fit_with_unlabelled(
        &mut self,
        train: &Split,
        validation: &Split,
        unlabelled: &Inputs,
        watch: &mut dyn Watch,
    ) -> Result<(), ModelError> {
        self.fit_each(watch, |model, watch| model.fit_with_unlabelled(train, validation, unlabelled, watch))
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        self.check_fitted("predict")?;
        let count = self.members.len();
        let mut answers: Option<MemberAnswers> = None;
        for (index, model) in self.members.iter_mut().enumerate() {
            let member = Member { number: index + 1, count };
            let predictions = model.predict(inputs).map_err(|error| member.blamed(error, 0))?;
            match &mut answers {
                None => answers = Some(MemberAnswers::of(predictions)),
                Some(answers) => {
                    answers.add(predictions).map_err(|what| ModelError::Failed(format!("{member} {what}")))?;
                }
            }
        }
        let answers = answers.ok_or_else(|| ModelError::Failed("the ensemble has no member".to_owned()))?;
        Ok(answers.combined(count))
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        self.check_fitted("save")?;
        artefact::ensemble::save(folder, self.entry, &self.members)
    }

    fn footprint(&self) -> Footprint {
        let each = || self.members.iter().map(|model| model.footprint());
        Footprint {
            parameters: each().map(|footprint| footprint.parameters).sum(),
            flops_per_example: each().map(|footprint| footprint.flops_per_example).sum(),
            weight_bytes: each().map(|footprint| footprint.weight_bytes).sum(),
        }
    }

    fn threads(&self) -> Option<usize> {
        self.first().and_then(Model::threads)
    }

    fn truncated(&self, inputs: &Inputs) -> Option<usize> {
        self.first().and_then(|model| model.truncated(inputs))
    }

    fn wordless(&self, inputs: &Inputs) -> Option<usize> {
        self.first().and_then(|model| model.wordless(inputs))
    }

    /// Each member makes an equal part of the images, and the first members one more where they are not a multiple.
    fn images(&self, count: usize) -> Result<Option<Images>, ModelError> {
        let members = self.members.len();
        let mut all: Option<Images> = None;
        for (index, model) in self.members.iter().enumerate() {
            let part = count / members + usize::from(index < count % members);
            let Some(made) = model.images(part)? else { return Ok(None) };
            match &mut all {
                None => all = Some(made),
                Some(all) => all.pixels.extend_from_slice(&made.pixels),
            }
        }
        Ok(all)
    }
}

/// Which member of an ensemble, for its errors and its place in the fit.
#[derive(Debug, Clone, Copy)]
struct Member {
    /// Counted from 1.
    number: usize,
    count: usize,
}

impl std::fmt::Display for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "member {} of {}", self.number, self.count)
    }
}

impl Member {
    /// An error of this member, with its number. Epochs are counted on from those of the members before.
    fn blamed(self, error: ModelError, epochs_before: usize) -> ModelError {
        match error {
            ModelError::Diverged { epoch, what } => {
                ModelError::Diverged { epoch: epochs_before + epoch, what: format!("{what} of {self}") }
            }
            ModelError::Unsupported(text) => ModelError::Unsupported(format!("{self}: {text}")),
            ModelError::OverBudget(text) => ModelError::OverBudget(format!("{self}: {text}")),
            ModelError::Failed(text) => ModelError::Failed(format!("{self}: {text}")),
            ModelError::State(text) => ModelError::State(format!("{self}: {text}")),
            // Its path names the member.
            error @ ModelError::Artefact { .. } => error,
        }
    }
}

/// What a member's fit reports, as a part of the fit of the ensemble. The members share a budget equally. A fit that was
/// interrupted begins again, because the members before are not kept.
struct MemberWatch<'a> {
    watch: &'a mut dyn Watch,
    member: Member,
    /// Epochs of the members before.
    epochs_before: usize,
    /// Epochs of this member so far.
    epochs: usize,
}

impl Watch for MemberWatch<'_> {
    fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.epochs = report.epoch;
        let members_left = self.member.count - self.member.number + 1;
        let counted_on = EpochReport {
            epoch: self.epochs_before + report.epoch,
            epochs: self.epochs_before + report.epochs * members_left,
            ..*report
        };
        self.watch.epoch(&counted_on).map_err(|error| match error {
            // The member's own count, because the ensemble counts on.
            ModelError::Diverged { what, .. } => ModelError::Diverged { epoch: report.epoch, what },
            other => other,
        })
    }

    fn part_epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
        self.watch.part_epoch(report)
    }

    fn progress(&mut self, done: usize, total: usize) {
        self.watch.progress((self.member.number - 1) * total + done, self.member.count * total);
    }

    fn spent(&mut self) -> Option<f64> {
        let before = (self.member.number - 1) as f64;
        Some(self.watch.spent()? * self.member.count as f64 - before)
    }
}

//! Scores: paired tests on the stored predictions of a night and of a reference run, on the same rows and seeds.
//!
//! A score is not judged as a series. The same fit on the same rows gives the same predictions night after night, so a series of scores has
//! no noise of its own that a prediction interval could be made of; the noise is that of the test rows and seeds, which a paired test knows.

use super::line::QualityLine;
use crate::cell::Cell;
use crate::contrast::{Contrast, Unpaired};
use crate::estimate::Scored;
use crate::results::Results;
use crate::setting::Setting;

/// The primary score of a model in a setting of `tonight`, against the same of `reference`.
pub(super) fn against(tonight: &Results, label: &str, setting: &Setting, reference: Option<&Results>) -> QualityLine {
    let metric = || setting.task.primary.clone();
    let missing = |what: String| QualityLine { metric: metric(), missing: what, ..QualityLine::default() };
    let Some(reference) = reference else {
        return missing("the history has no reference run".to_owned());
    };
    let of = |what: &str| missing(format!("the reference run {} {what}", reference.info.run));
    let Some((_, now)) = cell_of(tonight, label, setting) else {
        return missing("the run has no such case".to_owned());
    };
    let Some((then_setting, then)) = cell_of(reference, label, setting) else {
        return of("has no such case");
    };
    if then_setting.task.version != setting.task.version {
        return of(&format!(
            "has version {} of the task, and this is version {}",
            then_setting.task.version, setting.task.version
        ));
    }
    if then_setting.task.primary != setting.task.primary {
        return of(&format!("has the primary metric {}", then_setting.task.primary));
    }
    let new = Scored::of(setting, now, &tonight.answers);
    let old = Scored::of(then_setting, then, &reference.answers);
    if old.keys() != new.keys() {
        return of("has other seeds or folds");
    }
    let Some(contrast) = Contrast::difference(&new, &old) else { return of("has no score of it") };
    match contrast.unpaired() {
        Some(Unpaired::NoAnswers) => {
            return missing("predictions are missing, of this run or of the reference".to_owned());
        }
        Some(Unpaired::OtherRows) => return of("has predictions of other test rows"),
        None => {}
    }
    let found = contrast.uncertainty();
    let floor = now.mean("score", "floor").map(|floor| floor.mean);
    QualityLine {
        reference: reference.info.run.clone(),
        metric: metric(),
        before: old.mean(),
        change: Some(contrast.value()),
        interval: found.interval.map(|interval| (interval.low, interval.high)),
        p: found.p,
        seeds: found.seeds,
        region: setting.score().region.half_width(floor),
        missing: if found.p.is_some() {
            String::new()
        } else {
            "the test has no result: the scores do not vary".to_owned()
        },
    }
}

/// The cell of this label in the setting of a run that has the same task, size, noise, folds and kind of device. The machine does not
/// matter: predictions are not costs.
fn cell_of<'a>(results: &'a Results, label: &str, like: &Setting) -> Option<(&'a Setting, &'a Cell)> {
    let grid = &results.grid;
    let label = grid.labels.iter().position(|known| known == label)?;
    let is_like = |setting: &Setting| {
        setting.task.name == like.task.name
            && setting.train_size == like.train_size
            && setting.label_noise.to_bits() == like.label_noise.to_bits()
            && setting.folds == like.folds
            && setting.device == like.device
    };
    let found = grid.settings.iter().enumerate().filter(|(_, setting)| is_like(setting));
    let mut cells = found.filter_map(|(index, setting)| Some((setting, grid.cell(index, label)?)));
    cells.clone().find(|(setting, _)| setting.machine == like.machine).or_else(|| cells.next())
}

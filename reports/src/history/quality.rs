//! Scores: paired tests on the stored predictions of a night and of a reference run, on the same rows and seeds.
//!
//! A score is not judged as a series. The same fit on the same rows gives the same predictions night after night, so a series of scores has
//! no noise of its own that a prediction interval could be made of; the noise is that of the test rows and seeds, which a paired test knows.

use super::line::QualityLine;
use crate::cell::Cell;
use crate::contrast::{Contrast, Unpaired};
use crate::estimate::Scored;
use crate::results::{Results, measured};
use crate::setting::Setting;

/// Why scores of the first night of a suite are not judged.
pub(super) const NO_REFERENCE: &str = "the history has no reference run of this suite";

/// The primary score of `now`, which are trials of a model in a setting of `tonight`, against the same trials of `reference`.
pub(super) fn against(
    tonight: &Results,
    label: &str,
    setting: &Setting,
    now: &Cell,
    reference: Option<&Results>,
) -> QualityLine {
    let metric = || setting.task.primary.clone();
    let missing = |what: String| QualityLine { metric: metric(), missing: what, ..QualityLine::default() };
    let Some(reference) = reference else {
        return missing(NO_REFERENCE.to_owned());
    };
    let of = |what: &str| missing(format!("the reference run {} {what}", reference.info.run));
    let Some((then_setting, mut then)) = cell_of(reference, label, setting) else {
        return of("has no such case");
    };
    if now.trials.len() < now.planned {
        // The others were measured on another class of machines, and are tested there.
        then.trials.retain(|trial| now.trials.iter().any(|here| here.case == trial.case));
    }
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
    let old = Scored::of(then_setting, &then, &reference.answers);
    if then.trials.iter().any(|trial| !measured(trial.status)) {
        return of("has failed cases of it");
    }
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

/// The cell of this label in the setting of a run that is the same but for its machine, which does not matter: predictions are not costs.
/// It has the trials of all machines.
fn cell_of<'a>(results: &'a Results, label: &str, like: &Setting) -> Option<(&'a Setting, Cell)> {
    let grid = &results.grid;
    let label = grid.labels.iter().position(|known| known == label)?;
    let found = grid.settings.iter().enumerate().filter(|(_, setting)| setting.is_same_but_for_machine(like));
    let mut cells = found.filter_map(|(index, setting)| Some((setting, grid.cell(index, label)?.clone())));
    let (setting, mut cell) = cells.next()?;
    cell.trials.extend(cells.flat_map(|(_, cell)| cell.trials));
    Some((setting, cell))
}

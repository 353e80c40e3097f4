//! The audit of a measurement: whether the timed answers are the scored ones, and whether an example that comes again is faster. They are
//! the tests TEST01 and TEST04 of MLPerf Inference.

use std::collections::{HashMap, HashSet};

use bakeoff_datasets::{Inputs, Text};
use bakeoff_models::Model;
use bakeoff_reports::quantile;

use super::super::{Bench, Stop};
use super::answers::Answers;
use crate::phase::Phase;
use crate::protocol::Event;
use crate::stopwatch::Stopwatch;

const PHASE: Phase = Phase::Audit;

/// New examples and repetitions of an example come in turns of so many predictions, so that drift hits both alike.
const TURN: usize = 20;
/// The most turns of each.
const TURNS: usize = 5;
/// An example that comes again may be faster by this factor: 10 %, as in TEST04.
const MAX_SPEEDUP: f64 = 1.1;

impl Bench<'_> {
    /// Audits the scenarios. A failure is a remark on the case, and no number is changed by it. `unseen` are inputs that the model was
    /// never asked to predict: it may keep the answers to all others.
    pub(super) fn audit(&mut self, model: &mut dyn Model, unseen: &Inputs, answers: &Answers<'_>) -> Result<(), Stop> {
        (self.emit)(Event::Phase(PHASE));
        let differing = answers.differing() as f64;
        let (differing, verdict) = match answers.fault() {
            None if answers.timed() == 0 => (None, "TEST01 was not possible: no scenario was measured".to_owned()),
            None => (Some(differing), format!("TEST01 passed: {} timed answers were compared", answers.timed())),
            Some(fault) => (Some(differing), self.failed(&format!("TEST01 failed: {fault}"))),
        };
        self.record(PHASE, "differing_answers", differing, "scorer", verdict);
        let rows = alike(unseen);
        if rows.len() <= TURN {
            let reason = format!(
                "TEST04 was not possible: it takes {} different training rows of one length, and there are {}",
                TURN + 1,
                rows.len()
            );
            self.record(PHASE, "repeat_speedup", None, "stopwatch", reason);
            return Ok(());
        }
        let speedup = self.speedup(model, unseen, &rows)?;
        let compared = format!("an example that comes again is predicted {speedup:.3} times as fast as a new one");
        let verdict = if speedup <= MAX_SPEEDUP {
            format!("TEST04 passed: {compared}")
        } else {
            self.failed(&format!("TEST04 failed: {compared}, at most {MAX_SPEEDUP} is allowed; answers may be kept"))
        };
        self.record(PHASE, "repeat_speedup", Some(speedup), "stopwatch", verdict);
        Ok(())
    }

    /// Makes a failure a remark on the case.
    fn failed(&mut self, verdict: &str) -> String {
        self.outcome.remark(&format!("audit: {verdict}"));
        verdict.to_owned()
    }

    /// The median time of new examples over that of one that comes again and again. `rows` are examples of one length, of which the
    /// first comes again.
    fn speedup(&mut self, model: &mut dyn Model, unseen: &Inputs, rows: &[usize]) -> Result<f64, Stop> {
        let again = unseen.select(&rows[..1]);
        let (mut new_s, mut again_s) = (Vec::new(), Vec::new());
        for turn in rows[1..].chunks_exact(TURN).take(TURNS) {
            for row in turn {
                new_s.push(self.timed(model, &unseen.select(&[*row]))?);
            }
            for _ in turn {
                again_s.push(self.timed(model, &again)?);
            }
        }
        let medians = [("new_s", new_s), ("again_s", again_s)].map(|(metric, mut seconds)| {
            self.keep(PHASE, metric, ("s", "stopwatch"), seconds.iter().map(|seconds| (None, *seconds)));
            seconds.sort_by(f64::total_cmp);
            quantile(&seconds, 0.5)
        });
        Ok(medians[0] / medians[1])
    }

    fn timed(&mut self, model: &mut dyn Model, example: &Inputs) -> Result<f64, Stop> {
        let stopwatch = Stopwatch::start(self.program.machine);
        std::hint::black_box(model.predict(example)?);
        Ok(stopwatch.seconds())
    }
}

/// Different examples of one length: the length that most of them have. Images all have one, and rows of a table too.
fn alike(inputs: &Inputs) -> Vec<usize> {
    match inputs {
        Inputs::Images(images) => {
            let mut seen = HashSet::new();
            (0..images.len()).filter(|row| seen.insert(images.image(*row))).collect()
        }
        Inputs::Table(table) => {
            let mut seen = HashSet::new();
            let bits = |row: usize| table.numbers_of(row).iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
            (0..table.len()).filter(|row| seen.insert((bits(*row), table.categories_of(*row)))).collect()
        }
        Inputs::Texts(texts) => {
            let mut seen = HashSet::new();
            let mut of_length: HashMap<[usize; 2], Vec<usize>> = HashMap::new();
            for (row, text) in texts.iter().enumerate() {
                if seen.insert((&text.first, &text.second)) {
                    of_length.entry(words(text)).or_default().push(row);
                }
            }
            let most = of_length.into_iter().max_by_key(|(length, rows)| (rows.len(), *length));
            most.map_or_else(Vec::new, |(_, rows)| rows)
        }
    }
}

/// How many words each of the two texts has.
fn words(text: &Text) -> [usize; 2] {
    let count = |text: &str| text.split_whitespace().count();
    [count(&text.first), text.second.as_deref().map_or(0, count)]
}

#[cfg(test)]
mod tests {
    use bakeoff_datasets::Images;

    use super::*;

    #[test]
    fn texts_are_alike_if_both_parts_have_as_many_words() {
        let text =
            |first: &str, second: Option<&str>| Text { first: first.to_owned(), second: second.map(str::to_owned) };
        let texts = vec![
            text("one two", None),
            text("one", None),
            text("three four", None),
            text("one two", None),
            text("one", Some("two")),
            text("five  six", None),
        ];
        assert_eq!(alike(&Inputs::Texts(texts)), [0, 2, 5], "and each is there once");
        assert!(alike(&Inputs::Texts(Vec::new())).is_empty());
    }

    #[test]
    fn images_are_alike_but_an_equal_one_is_no_new_example() {
        let images = Images { channels: 1, height: 1, width: 2, pixels: vec![1, 2, 3, 4, 1, 2] };
        assert_eq!(alike(&Inputs::Images(images)), [0, 1]);
    }
}

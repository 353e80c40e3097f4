//! The interpretation of models as text for the terminal.

use std::fmt::Write;

use super::{ExplainedModel, ExplainedTask, Importance, Interpretation, Measure, Part, ShownInput};
use crate::format::count;
use crate::metric::metric;

/// How many of the most important parts of each model are printed.
const MOST_PARTS: usize = 10;
/// How many words of an example are printed.
const MOST_WORDS: usize = 5;

/// What models learned, in lines.
pub fn interpretation_text(interpretation: &Interpretation) -> String {
    let mut text = String::new();
    for task in &interpretation.tasks {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}: loss of {} on {} if a part is permuted, mean ± deviation of {}",
            task.title,
            title(task),
            count(task.rows, "test row"),
            count(task.repeats, "repeat")
        );
        task.models.iter().for_each(|model| write_model(&mut text, task, model));
    }
    text
}

/// The metric's name as people read it.
pub(super) fn title(task: &ExplainedTask) -> &str {
    metric(&task.metric).map_or(task.metric.as_str(), |metric| metric.title)
}

fn write_model(text: &mut String, task: &ExplainedTask, model: &ExplainedModel) {
    let _ = writeln!(text, "  {} ({} {:.3} as they are)", model.label, title(task), model.score);
    let mut ranked: Vec<&Importance> = model.importances.iter().filter(|part| part.mean().is_some()).collect();
    ranked.sort_by(|one, other| other.mean().partial_cmp(&one.mean()).unwrap_or(std::cmp::Ordering::Equal));
    for importance in ranked.iter().take(MOST_PARTS) {
        let _ = writeln!(text, "    {:<24} {}", named(&importance.part), written(importance));
    }
    if ranked.len() > MOST_PARTS {
        let _ = writeln!(text, "    and {} less important", count(ranked.len() - MOST_PARTS, "part"));
    }
    if let Some(vectors) = model.support_vectors {
        let _ = writeln!(text, "    {}", count(vectors, "support vector"));
    }
    if let Some(rules) = &model.rules {
        let _ = writeln!(text, "    rules:");
        rules.lines().for_each(|line| {
            let _ = writeln!(text, "      {line}");
        });
    }
    for (example, answer) in task.examples.iter().zip(&model.answers) {
        let _ =
            writeln!(text, "    test row {}: {} is predicted, {} is true", example.row, answer.answer, example.target);
        let parts = parts_of(&example.input);
        let mut changes: Vec<(&String, f64)> = parts.iter().zip(answer.changes.iter().copied()).collect();
        changes.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
        let most: Vec<String> = changes
            .iter()
            .filter(|(_, change)| *change != 0.0)
            .take(MOST_WORDS)
            .map(|(part, change)| format!("{part} {change:+.3}"))
            .collect();
        if !most.is_empty() {
            let _ = writeln!(text, "      {}: {}", falls(answer.measure), most.join(", "));
        }
        if let Some(attention) = &answer.attention {
            let mut tokens: Vec<(&String, f32)> =
                attention.tokens.iter().zip(attention.rollout.iter().copied()).collect();
            tokens.sort_by(|one, other| other.1.total_cmp(&one.1));
            let most: Vec<String> =
                tokens.iter().take(MOST_WORDS).map(|(token, share)| format!("{token} {share:.3}")).collect();
            let _ = writeln!(text, "      attention rollout: {}", most.join(", "));
        }
        if let Some(path) = &answer.path {
            let _ = writeln!(text, "      {}", path.join(", then "));
        }
    }
}

/// What is measured, as the beginning of a line.
pub(super) fn falls(measure: Measure) -> &'static str {
    match measure {
        Measure::Probability => "the probability of the answer falls by",
        Measure::SameClass => "the share of the repeats in which the answer changes",
        Measure::Value => "the predicted number falls by",
    }
}

/// A part in words.
pub(crate) fn named(part: &Part) -> String {
    match part {
        Part::Word { word, rows } => format!("{word} (in {rows})"),
        Part::Region { row, column } => region(*row, *column),
    }
}

fn region(row: usize, column: usize) -> String {
    format!("row {}, column {}", row + 1, column + 1)
}

/// The mean with the deviation, if there is one.
pub(super) fn written(importance: &Importance) -> String {
    let Some(mean) = importance.mean() else { return "not defined".to_owned() };
    match importance.deviation() {
        Some(deviation) => format!("{mean:+.4} ± {deviation:.4}"),
        None => format!("{mean:+.4}"),
    }
}

/// The names of an example's parts.
fn parts_of(input: &ShownInput) -> Vec<String> {
    match input {
        ShownInput::Texts(texts) => texts.concat(),
        ShownInput::Image { grid, .. } => (0..grid * grid).map(|at| region(at / grid, at % grid)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::interpretation;
    use super::*;

    #[test]
    fn the_text_has_the_parts_in_the_order_of_their_importance_and_what_only_some_models_show() {
        let text = interpretation_text(&interpretation());
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what:?} is not in\n{text}"));
        assert!(at("fine (in 3)") < at("<film> (in 3)"), "{text}");
        at("+0.5000 ± 0.3536");
        at("if fine <= 0.5:");
        at("fine > 0.5 (it is 1), then good (0.90)");
        at("attention rollout: fine 0.600, <film> 0.300, a 0.100");
        at("12 support vectors");
        assert!(at("row 2, column 2") < at("row 1, column 2"), "{text}");
    }
}

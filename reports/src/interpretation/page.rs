//! `interpretation.html`: what models learned, side by side for the same examples. It loads nothing from elsewhere.

use maud::{Markup, PreEscaped, html};

use super::text::{falls, named, title, written};
use super::{ExplainedModel, ExplainedTask, Interpretation};
use crate::error::ReportError;
use crate::figures::{Picture, Style, attention_pictures, example_picture, importance_pictures};
use crate::format::count;
use crate::html::document;

/// How to read the page.
const HOW_TO_READ: &str = "The importance of a word or a region is how much worse a model's score is if that part is permuted \
    among the test rows (Breiman 2001; Fisher et al. 2019). It is measured through predictions alone, so it is the same for every \
    model. It says what a fitted model uses, and not what would be lost without it: parts that say the same can stand in for each \
    other. The numbers are of one fitted model on few test rows. Attention says what a Transformer combines, and not why it \
    answers as it does (Jain and Wallace 2019).";

/// The text of the page.
///
/// # Errors
/// If the drawing library fails.
pub(crate) fn page(interpretation: &Interpretation) -> Result<String, ReportError> {
    let parts = interpretation.tasks.iter().map(task_part).collect::<Result<Vec<Markup>, _>>()?;
    let body = html! {
        h1 { "What the models learned" }
        p { (HOW_TO_READ) }
        @if parts.is_empty() { p { "No model was explained." } }
        @for part in &parts { (part) }
    };
    Ok(document("bakeoff: what the models learned", false, &body))
}

fn task_part(task: &ExplainedTask) -> Result<Markup, ReportError> {
    let style = Style::default();
    let importances = importance_pictures(task, &style)?;
    let examples =
        (0..task.examples.len()).map(|index| example_part(task, index, &style)).collect::<Result<Vec<_>, _>>()?;
    Ok(html! {
        section {
            h2 { (task.title) }
            p.muted {
                (count(task.models.len(), "model")) ", " (count(task.rows, "test row")) " drawn with seed " (task.seed) ", "
                (count(task.repeats, "repeat"))
            }
            h3 { "Importance of the same parts for every model" }
            @for picture in &importances { (figure(picture)) }
            (numbers(task))
            h3 { "The same examples" }
            @for example in &examples { (example) }
            (made_of(task))
        }
    })
}

/// A picture with its caption.
fn figure(picture: &Picture) -> Markup {
    html! {
        figure.whole {
            div.wide { (PreEscaped(&picture.svg)) }
            figcaption { strong { (picture.title) } ". " (picture.caption) }
        }
    }
}

/// The numbers behind the picture of importances.
fn numbers(task: &ExplainedTask) -> Markup {
    let Some(first) = task.models.first() else { return html! {} };
    html! {
        details {
            summary { "The numbers: loss of " (title(task)) ", mean ± standard deviation over the repeats" }
            div.wide {
                table {
                    thead { tr { th { "part" } @for model in &task.models { th { (model.label) } } } }
                    tbody {
                        tr { th scope="row" { (title(task)) ", nothing permuted" } @for model in &task.models { td.number { (format!("{:.4}", model.score)) } } }
                        @for (index, importance) in first.importances.iter().enumerate() {
                            tr {
                                th scope="row" { (named(&importance.part)) }
                                @for model in &task.models {
                                    td.number { @if let Some(importance) = model.importances.get(index) { (written(importance)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn example_part(task: &ExplainedTask, index: usize, style: &Style) -> Result<Markup, ReportError> {
    let example = &task.examples[index];
    let picture = example_picture(task, index, style)?;
    let attention = attention_pictures(task, index, style)?;
    let paths = task.models.iter().filter_map(|model| Some((model, model.answers.get(index)?.path.as_ref()?)));
    let paths: Vec<(&ExplainedModel, &Vec<String>)> = paths.collect();
    Ok(html! {
        h4 { "Test row " (example.row) ": " (example.target) " is true" }
        (figure(&picture))
        @for (model, path) in paths {
            p { strong { (model.label) } " went down its tree so:" }
            pre { (path.join("\n")) }
        }
        @if !attention.is_empty() {
            details {
                summary { "Attention of the last block" }
                @for picture in &attention { (figure(picture)) }
            }
        }
        p.muted {
            @for model in &task.models {
                @if let Some(answer) = model.answers.get(index) {
                    (model.label) ": " (answer.answer) "; " (falls(answer.measure)) " what is shown. "
                }
            }
        }
    })
}

/// What only some models show of themselves as a whole.
fn made_of(task: &ExplainedTask) -> Markup {
    let has_any = task.models.iter().any(|model| model.rules.is_some() || model.support_vectors.is_some());
    html! {
        @if has_any { h3 { "What a model is made of" } }
        @for model in &task.models {
            @if let Some(vectors) = model.support_vectors {
                p { strong { (model.label) } " keeps " (count(vectors, "support vector")) " of its training rows." }
            }
            @if let Some(rules) = &model.rules {
                details open[rules.lines().count() <= 60] {
                    summary { "Rules of " (model.label) " (" (count(rules.lines().count(), "line")) ")" }
                    pre { (rules) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::interpretation;
    use super::*;

    #[test]
    fn the_page_shows_every_model_for_the_same_examples_and_escapes_their_words() -> Result<(), ReportError> {
        let page = page(&interpretation())?;
        for expected in
            ["transformer", "decision-tree", "svm", "12 support vectors", "Test row 2", "&lt;film&gt;", "if fine"]
        {
            assert!(page.contains(expected), "{expected}");
        }
        assert!(!page.contains("<film>"), "a word of a user is no element of the page");
        assert_eq!(page.matches("<svg").count(), 2 + 2 + 2, "importances, examples and attention of two tasks");
        Ok(())
    }

    #[test]
    fn a_page_of_nothing_says_so() -> Result<(), ReportError> {
        assert!(page(&Interpretation::new(Vec::new()))?.contains("No model was explained."));
        Ok(())
    }
}

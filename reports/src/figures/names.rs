//! Names that pictures cannot write, because their font lacks a character or because they would cut two names to the same text.
//! Pictures write numbers instead of them, and a key below a picture lists what its numbers mean.
//!
//! Users write names of classes, tasks, models and units in any script, but the one font in the binary lacks the glyphs
//! of many scripts. The renderer would draw a box for each missing glyph, and all names of such a script would look
//! alike.

use std::borrow::Cow;

use super::Picture;
use super::canvas::{allowed_in_xml, escape};
use super::drawing::has_all_glyphs;
use super::key::add_key;
use super::style::Style;
use crate::error::ReportError;
use crate::results::Results;
use crate::setting::name_settings;

/// How many characters a picture shows at least of a model's label, and of the name of a class.
const SHOWN_OF_LABEL: usize = 20;
const SHOWN_OF_CLASS: usize = 10;

/// The names of a run that pictures cannot write, in the order of their numbers.
pub(crate) struct NumberedNames {
    /// What a picture writes, and the name for which it stands.
    names: Vec<(String, String)>,
}

impl NumberedNames {
    /// Finds these names among all names that users choose and pictures show.
    pub(crate) fn new(results: &Results) -> NumberedNames {
        let tasks = results.grid.settings.iter().map(|setting| &setting.task);
        let of_tasks = tasks.flat_map(|task| [&task.name, &task.unit].into_iter().chain(&task.classes));
        let mut all: Vec<&String> = Vec::new();
        for name in of_tasks.chain(&results.grid.labels) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        let free = |number: &String| !all.contains(&number);
        let mut numbers = (1..).map(|number| format!("#{number}")).filter(free);
        let labels = &results.grid.labels;
        let classes: Vec<&String> = results.grid.settings.iter().flat_map(|setting| &setting.task.classes).collect();
        let shown = |name: &String| match name {
            label if labels.contains(label) => SHOWN_OF_LABEL,
            class if classes.contains(&class) => SHOWN_OF_CLASS,
            // Titles are shown whole.
            _ => usize::MAX,
        };
        let start = |name: &String| name.chars().take(shown(name)).collect::<String>();
        // A picture cuts long names, and these would then be the same.
        let is_ambiguous = |name: &&&String| {
            name.chars().count() > shown(name)
                && all.iter().any(|other| other != *name && shown(other) == shown(name) && start(other) == start(name))
        };
        let unwritable = all.iter().filter(|name| !has_all_glyphs(&allowed_in_xml(name)) || is_ambiguous(name));
        let names = unwritable.filter_map(|name| Some((numbers.next()?, (*name).clone()))).collect();
        NumberedNames { names }
    }

    /// The results with numbers in place of these names, for the pictures.
    pub(crate) fn shown<'a>(&self, results: &'a Results) -> Cow<'a, Results> {
        if self.names.is_empty() {
            return Cow::Borrowed(results);
        }
        let mut results = results.clone();
        let replace = |name: &mut String| {
            if let Some((number, _)) = self.names.iter().find(|(_, unwritable)| unwritable == name) {
                name.clone_from(number);
            }
        };
        results.grid.labels.iter_mut().for_each(replace);
        for setting in &mut results.grid.settings {
            let task = &mut setting.task;
            replace(&mut task.name);
            replace(&mut task.unit);
            task.classes.iter_mut().for_each(replace);
            setting.title.clone_from(&task.name);
        }
        name_settings(&mut results.grid.settings);
        Cow::Owned(results)
    }

    /// Adds to each picture a key of the numbers that it contains.
    ///
    /// # Errors
    /// If the drawing library fails.
    pub(crate) fn explain(&self, pictures: &mut [Picture], style: &Style) -> Result<(), ReportError> {
        for picture in pictures {
            let used = self.names.iter().filter(|(number, _)| has_number(&picture.svg, number));
            let used: Vec<(&str, &str)> = used.map(|(number, name)| (number.as_str(), name.as_str())).collect();
            if used.is_empty() {
                continue;
            }
            picture.svg = add_key(&picture.svg, &used, style)
                .map_err(|message| ReportError::Figure { figure: picture.name.clone(), message })?;
            let key: Vec<String> = used.iter().map(|(number, name)| format!("{number} = {name}")).collect();
            picture.key = key.join(", ");
            let description = format!(" Key: {}.</desc>", escape(&allowed_in_xml(&picture.key)));
            picture.svg = picture.svg.replacen("</desc>", &description, 1);
        }
        Ok(())
    }

    /// The remark about these names for the reader of the report.
    pub(crate) fn remark(&self) -> Option<String> {
        const SHOWN: usize = 10;
        if self.names.is_empty() {
            return None;
        }
        let key: Vec<String> =
            self.names.iter().take(SHOWN).map(|(number, name)| format!("{number} = {name}")).collect();
        let more = self.names.len().saturating_sub(SHOWN);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        Some(format!(
            "The figures write numbers in place of some names, because their font lacks a character or because they would cut \
             two names to the same text: {}{more}. The key below a figure names those that it shows.",
            key.join(", ")
        ))
    }
}

/// Whether a text of the picture contains a number. A longer number that begins with the same digits does not count.
fn has_number(svg: &str, number: &str) -> bool {
    let texts = svg.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    texts.into_iter().any(|text| {
        text.match_indices(number).any(|(at, _)| !text[at + number.len()..].starts_with(|c: char| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_texts_only_and_as_a_whole() {
        let svg = "<svg fill=\"#12\"><title>#3: #4</title><text>#15, 500 rows</text></svg>";
        let found = |number| has_number(svg, number);
        assert!(found("#3") && found("#4") && found("#15"));
        assert!(!found("#1") && !found("#12"));
    }

    #[test]
    fn the_font_has_many_scripts_and_lacks_others() {
        for name in
            ["negative", "café", "cafe\u{301}", "Ελλάδα", "хорошо", "שלום", "سلام", "Việt", "x² ≥ °C", "a\u{200d}b", " "]
        {
            assert!(has_all_glyphs(name), "{name:?}");
        }
        for name in ["差评", "好评 ok", "좋아요", "とても", "👍", "👩‍👩‍👧", "नमस्ते", "ไทย", "a\u{1d165}"]
        {
            assert!(!has_all_glyphs(name), "{name:?}");
        }
    }
}

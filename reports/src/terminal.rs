//! The small tables at the end of a run on a terminal.

use crate::results::Results;
use crate::sections::sections;
use crate::table::terminal;

/// One table per setting without its details, and the warnings about it. The text ends with a newline and has no
/// colours, so that it can be piped.
pub fn terminal_table(results: &Results) -> String {
    let mut text = String::new();
    for section in sections(results) {
        text += &format!("{}\n{}", section.title, terminal(&section.table.without_details()));
        for warning in &section.warnings {
            text += &format!("note: {warning}\n");
        }
        text.push('\n');
    }
    if text.is_empty() { "No case has finished yet.\n".to_owned() } else { text.trim_end().to_owned() + "\n" }
}

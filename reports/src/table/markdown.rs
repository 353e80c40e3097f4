//! A table in Markdown.

use super::{Side, Table};

/// The lines of the table.
pub(crate) fn markdown(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(table.columns.iter().map(|column| escape(&column.heading())).collect());
    let rule = |side| if side == Side::Right { "---:" } else { "---" }.to_owned();
    text += &line(table.columns.iter().map(|column| rule(column.side())).collect());
    for row in &table.rows {
        text += &line(row.cells.iter().map(|cell| escape(&cell.text())).collect());
    }
    text
}

/// Escapes a text, so that it stays in its table cell and is not read as markup.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '|' | '*' | '_' | '`' | '<' | '>' | '\\' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    escaped
}

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

/// Escapes a text, so that it stays in its line or table cell and is not read as markup: no HTML, no entity, no emphasis, no link and no
/// image.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            c if c.is_control() => escaped.push(' '),
            '|' | '*' | '_' | '`' | '<' | '>' | '\\' | '~' => escaped.extend(['\\', c]),
            // Brackets are common, and links and images have another bracket after theirs.
            ']' if matches!(next, '(' | '[' | ':') => escaped.extend(['\\', c]),
            '&' if next.is_ascii_alphanumeric() || next == '#' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// [`escape`] for a text at the beginning of a line, where some characters would make it a heading, an item of a list or code.
pub(crate) fn escape_line(text: &str) -> String {
    let mut escaped = escape(text).trim_start().to_owned();
    let digits = escaped.chars().take_while(char::is_ascii_digit).count();
    let marks: &[char] = if digits == 0 { &['#', '+', '-', '=', '['] } else { &['.', ')'] };
    if escaped[digits..].starts_with(marks) {
        escaped.insert(digits, '\\');
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_markup_is_the_same_text_without_markup() {
        for (text, expected) in [
            ("a\r\n# b", "a  # b"),
            ("<script>x</script>", "\\<script\\>x\\</script\\>"),
            ("[a](http://b) ![a][b] [0.1, 0.2]", "[a\\](http://b) ![a\\][b] [0.1, 0.2]"),
            ("&lt;b&#62; Q & A", "\\&lt;b\\&#62; Q & A"),
            ("~~no~~ \\* \u{1b}[31m", "\\~\\~no\\~\\~ \\\\\\*  [31m"),
        ] {
            assert_eq!(escape(text), expected);
        }
    }

    #[test]
    fn a_text_at_the_beginning_of_a_line_begins_no_block() {
        for (text, expected) in [
            ("\n# heading", "\\# heading"),
            ("- item", "\\- item"),
            ("12. item", "12\\. item"),
            ("3) item", "3\\) item"),
            ("    code", "code"),
            ("[a]: http://b", "\\[a\\]: http://b"),
            ("~~~", "\\~\\~\\~"),
            ("2000 rows", "2000 rows"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(escape_line(text), expected);
        }
    }
}

//! A table in LaTeX: booktabs, no colour, text escaped. What is too long for one page is in several parts.

use std::collections::HashSet;
use std::fmt::Write;

use super::{CellKind, Side, Table, TableCell, TableColumn};
use crate::format::scores;
use crate::statistics::Interval;

/// Characters of `\footnotesize` in a line across both columns of a page that is 7 inches wide between its margins. Of `\scriptsize`,
/// there are an eighth more.
const LINE: usize = 112;
/// What the space between two columns takes, in characters.
const GAP: usize = 2;
/// Wide characters may take this much more than the count of characters says.
const SLACK: usize = 4;
/// A column whose longest cell is longer than this may break lines.
const ONE_LINE: usize = 26;
/// The narrowest column that breaks lines, in characters.
const NARROWEST: usize = 10;
/// The lines of a table that a page has room for, beside its caption.
const PAGE: usize = 48;

/// The `tabular` environments of the table, each of at most a page. The best score is bold, and scores of models that the tests do
/// not tell from the best are underlined. A column in which every cell is empty, or every case is `ok`, is left out.
pub(crate) fn latex(table: &Table) -> Vec<String> {
    let shown: Vec<usize> = (0..table.columns.len()).filter(|&column| says_something(table, column)).collect();
    let widths = widths(table, &shown);
    let marks = marks(table);
    let mut parts: Vec<(usize, Vec<String>)> = Vec::new();
    for (row, mark) in table.rows.iter().zip(marks) {
        let cells: Vec<String> = shown.iter().map(|&column| cell(&row.cells[column], mark)).collect();
        let height = shown.iter().zip(&widths).map(|(&column, width)| lines(&row.cells[column], *width)).max();
        let height = height.unwrap_or(1);
        let line = format!("{} \\\\\n", cells.join(" & "));
        match parts.last_mut() {
            Some((used, lines)) if *used + height <= PAGE => {
                *used += height;
                lines.push(line);
            }
            _ => parts.push((height, vec![line])),
        }
    }
    let size = if is_wide(table, &shown, &widths) { "\\scriptsize" } else { "\\footnotesize" };
    let columns: Vec<&TableColumn> = shown.iter().map(|&column| &table.columns[column]).collect();
    parts.into_iter().map(|(_, lines)| tabular(size, &columns, &widths, &lines)).collect()
}

fn tabular(size: &str, columns: &[&TableColumn], widths: &[Option<usize>], lines: &[String]) -> String {
    let place = |(column, width): (&&TableColumn, &Option<usize>)| match (width, column.side()) {
        (Some(width), _) => {
            format!(">{{\\raggedright\\arraybackslash}}p{{{:.3}\\textwidth}}", *width as f64 / LINE as f64)
        }
        (None, Side::Right) => "r".to_owned(),
        (None, Side::Left) => "l".to_owned(),
    };
    let places: String = columns.iter().zip(widths).map(place).collect();
    let headings: Vec<String> = columns.iter().map(|column| escape(&heading(column))).collect();
    format!(
        "{size}\\setlength{{\\tabcolsep}}{{4pt}}\n\\begin{{tabular}}{{@{{}}{places}@{{}}}}\n\\toprule\n{} \\\\\n\\midrule\n{}\\bottomrule\n\\end{{tabular}}\n",
        headings.join(" & "),
        lines.concat()
    )
}

/// The words above a column. The caption says that brackets are intervals.
fn heading(column: &TableColumn) -> String {
    column.heading().replacen(" [95 %]", "", 1)
}

/// Whether a column is worth its place.
fn says_something(table: &Table, column: usize) -> bool {
    let mut texts = table.rows.iter().map(|row| row.cells[column].text());
    let first = texts.next().unwrap_or_default();
    let is_same = texts.all(|text| text == first);
    let is_ok = table.columns[column].kind == CellKind::Status && first.split(',').next() == Some("ok");
    !(is_same && (first.is_empty() || is_ok))
}

/// The width of each column that breaks lines, in characters; `None` for one that is as wide as its longest cell.
fn widths(table: &Table, shown: &[usize]) -> Vec<Option<usize>> {
    let natural: Vec<usize> = shown.iter().map(|&column| longest(table, column)).collect();
    let breaks = |index: usize| {
        let kind = table.columns[shown[index]].kind;
        natural[index] > ONE_LINE && matches!(kind, CellKind::Text | CellKind::Name | CellKind::Status)
    };
    let gaps = GAP * shown.len().saturating_sub(1);
    if natural.iter().sum::<usize>() + gaps <= LINE {
        return vec![None; shown.len()];
    }
    let fixed: usize = (0..shown.len()).filter(|&index| !breaks(index)).map(|index| natural[index]).sum();
    let wanted: usize = (0..shown.len()).filter(|&index| breaks(index)).map(|index| natural[index].min(LINE)).sum();
    let left = LINE.saturating_sub(fixed + gaps);
    let width = |index: usize| (natural[index].min(LINE) * left / wanted.max(1)).max(NARROWEST);
    (0..shown.len()).map(|index| breaks(index).then(|| width(index))).collect()
}

/// The length of the longest cell of a column, its heading included.
fn longest(table: &Table, column: usize) -> usize {
    let cells = table.rows.iter().map(|row| row.cells[column].text().chars().count());
    cells.chain([heading(&table.columns[column]).chars().count()]).max().unwrap_or(0)
}

/// Whether the table is wider than a line of the usual type.
fn is_wide(table: &Table, shown: &[usize], widths: &[Option<usize>]) -> bool {
    let wide = |(&column, width): (&usize, &Option<usize>)| width.unwrap_or_else(|| longest(table, column));
    shown.iter().zip(widths).map(wide).sum::<usize>() + GAP * shown.len().saturating_sub(1) > LINE - SLACK
}

/// About how many lines a cell takes.
fn lines(cell: &TableCell, width: Option<usize>) -> usize {
    width.map_or(1, |width| cell.text().chars().count().div_ceil(width) + 1)
}

/// How the score of a row is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Best,
    Tied,
    Plain,
}

/// The mark of each row. Only a table with places in a ranking has marks other than plain ones.
fn marks(table: &Table) -> Vec<Mark> {
    let ranked = |row: usize| {
        table.rows[row].cells.iter().find_map(|cell| if let TableCell::Rank(ranks) = cell { *ranks } else { None })
    };
    let value = |row: usize| {
        table.rows[row].cells.iter().find_map(|cell| match cell {
            TableCell::Estimate { metric, value, .. } => Some(metric.better.goodness(*value)),
            _ => None,
        })
    };
    let rows = || (0..table.rows.len()).filter(|&row| ranked(row).is_some());
    let best = rows().filter_map(value).max_by(f64::total_cmp);
    let best: HashSet<usize> = rows().filter(|&row| best.is_some() && value(row) == best).collect();
    let mark = |row: usize| match ranked(row) {
        Some(_) if best.contains(&row) => Mark::Best,
        Some(ranks) if ranks.is_tied_with_best() => Mark::Tied,
        _ => Mark::Plain,
    };
    (0..table.rows.len()).map(mark).collect()
}

fn cell(cell: &TableCell, mark: Mark) -> String {
    match cell {
        TableCell::Estimate { metric, value, interval } => {
            let Interval { low, high } = interval.unwrap_or(Interval { low: *value, high: *value });
            let [shown, low, high] = scores(metric, [*value, low, high]).map(|text| number(&text));
            let shown = match mark {
                Mark::Best => format!("\\textbf{{{shown}}}"),
                Mark::Tied => format!("\\underline{{{shown}}}"),
                Mark::Plain => shown,
            };
            let small = || format!(" {{\\scriptsize {{[}}{low}, {high}{{]}}}}");
            format!("{shown}{}", interval.map_or(String::new(), |_| small()))
        }
        TableCell::Quantity { .. } | TableCell::Number(_) | TableCell::Written { .. } => number(&cell.text()),
        TableCell::P(_) => number(cell.text().trim_start_matches("p = ").trim_start_matches("p ")),
        cell => escape(&cell.text()),
    }
}

/// A number, which may have a sign and a unit.
fn number(text: &str) -> String {
    match text.strip_prefix('-') {
        Some(rest) => format!("$-${}", escape(rest)),
        None => escape(text),
    }
}

/// Accented letters that every LaTeX sets from its plain fonts.
const LETTERS: &str = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßŒœŁłŠšŽžČčĆćŃńŚśŹźŻżĞğİıŞşŐőŰűŘřĚěŇň";

/// Escapes a text, so that LaTeX sets it as it is: every special character, and the pairs that a font would join. A character that
/// pdfLaTeX does not have without more packages is written as its code, `[U+4E2D]`.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\textbackslash{}"),
            '{' | '}' | '$' | '&' | '#' | '_' | '%' => escaped.extend(['\\', c]),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '`' => escaped.push_str("\\textasciigrave{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '|' => escaped.push_str("\\textbar{}"),
            '"' => escaped.push_str("\\textquotedblright{}"),
            // A bracket or a star after the end of a line would be read as its argument.
            '[' | ']' | '*' => escaped.extend(['{', c, '}']),
            '-' if before == '-' => escaped.push_str("{}-"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            ' '..='~' => escaped.push(c),
            '\u{a0}' | '\u{202f}' => escaped.push('~'),
            c if LETTERS.contains(c) => escaped.push(c),
            c => match symbol(c) {
                Some(symbol) => escaped.push_str(symbol),
                None => {
                    let _ = write!(escaped, "{{[}}U+{:04X}{{]}}", u32::from(c));
                }
            },
        }
        before = c;
    }
    escaped
}

/// The command for a character outside ASCII that tables, captions and units have.
fn symbol(c: char) -> Option<&'static str> {
    Some(match c {
        '–' => "--",
        '—' => "---",
        '‘' => "\\textquoteleft{}",
        '’' => "\\textquoteright{}",
        '“' => "\\textquotedblleft{}",
        '”' => "\\textquotedblright{}",
        '…' => "\\ldots{}",
        '°' => "\\textdegree{}",
        '†' => "$\\dagger$",
        '²' => "$^2$",
        '³' => "$^3$",
        '·' => "$\\cdot$",
        '×' => "$\\times$",
        '±' => "$\\pm$",
        '−' => "$-$",
        '≤' => "$\\leq$",
        '≥' => "$\\geq$",
        '≠' => "$\\neq$",
        '≈' => "$\\approx$",
        '√' => "$\\surd$",
        '∞' => "$\\infty$",
        '→' => "$\\rightarrow$",
        'µ' | 'μ' => "\\textmu{}",
        'α' => "$\\alpha$",
        'β' => "$\\beta$",
        'γ' => "$\\gamma$",
        'δ' => "$\\delta$",
        'Δ' => "$\\Delta$",
        'ε' => "$\\varepsilon$",
        'κ' => "$\\kappa$",
        'λ' => "$\\lambda$",
        'ρ' => "$\\rho$",
        'σ' => "$\\sigma$",
        'τ' => "$\\tau$",
        'χ' => "$\\chi$",
        'Ω' => "$\\Omega$",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::metric;
    use crate::ranking::Ranks;
    use crate::table::Emphasis;
    use proptest::prelude::{any, prop_assert, proptest};

    /// The text without the commands that [`escape`] writes. What is special and still there was not escaped.
    fn without_commands(escaped: &str) -> String {
        let mut rest = escaped.to_owned();
        for command in
            ["\\textbackslash{}", "\\textasciicircum{}", "\\textasciitilde{}", "\\textasciigrave{}", "\\textless{}"]
                .into_iter()
                .chain(["\\textgreater{}", "\\textbar{}", "\\textquotedblright{}", "{[}", "{]}", "{*}", "{}-"])
                .chain(["\\{", "\\}", "\\$", "\\&", "\\#", "\\_", "\\%"])
        {
            rest = rest.replace(command, " ");
        }
        rest
    }

    proptest! {
        #[test]
        fn no_special_character_of_ascii_stays_unescaped(text in "[ -~]*") {
            let rest = without_commands(&escape(&text));
            prop_assert!(!rest.contains(['\\', '{', '}', '$', '&', '#', '^', '_', '%', '~', '<', '>', '|', '`', '"', '[', ']', '*']), "{rest}");
            prop_assert!(!rest.contains("--"), "{rest}");
        }

        #[test]
        fn every_text_is_one_line_of_characters_that_pdflatex_sets(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(escaped.chars().all(|c| matches!(c, ' '..='~') || LETTERS.contains(c)), "{escaped}");
        }
    }

    #[test]
    fn a_text_reads_as_it_was_written() {
        assert_eq!(
            escape("50 % of R&D_x, #1 {a} $2 ~ ^ \\"),
            "50 \\% of R\\&D\\_x, \\#1 \\{a\\} \\$2 \\textasciitilde{} \\textasciicircum{} \\textbackslash{}"
        );
        assert_eq!(escape("--samples [x]"), "-{}-samples {[}x{]}");
        assert_eq!(escape("Ærø, 3 °², 中"), "Ærø, 3 \\textdegree{}$^2$, {[}U+4E2D{]}");
    }

    fn ranked(rows: &[(Option<Ranks>, f64, &str)]) -> Table {
        let columns = [
            TableColumn::new("#", CellKind::Rank),
            TableColumn::new("model", CellKind::Name),
            TableColumn::new("MSE", CellKind::Estimate),
            TableColumn::new("status", CellKind::Status),
        ];
        let mut table = Table::new("", columns.to_vec());
        for (ranks, value, name) in rows {
            let status = TableCell::Status { status: crate::record::Status::Ok, seeds: String::new() };
            let interval = Some(Interval { low: -1.0, high: 2.0 });
            let estimate =
                TableCell::Estimate { metric: metric("mse").expect("the catalogue"), value: *value, interval };
            let cells = vec![TableCell::Rank(*ranks), TableCell::Text((*name).to_owned()), estimate, status];
            table.push(Emphasis::Plain, cells);
        }
        table
    }

    #[test]
    fn the_best_is_bold_whichever_direction_is_better_and_what_is_tied_with_it_is_underlined() {
        let places = |best, worst| Some(Ranks { best, worst });
        let rows = [(places(1, 2), 1.5, "a_b"), (places(1, 2), 1.25, "c"), (places(3, 3), 1.75, "d"), (None, 0.5, "e")];
        let [table] = &latex(&ranked(&rows))[..] else { panic!("one page") };
        let small = "{\\scriptsize {[}$-$1.000, 2.000{]}}";
        for row in [
            format!("1--2 & a\\_b & \\underline{{1.500}} {small} \\\\\n"),
            format!("1--2 & c & \\textbf{{1.250}} {small} \\\\\n"),
            format!("3 & d & 1.750 {small} \\\\\n"),
            format!("-- & e & 0.500 {small} \\\\\n"),
        ] {
            assert!(table.contains(&row), "{row} is not in {table}");
        }
        assert!(!table.contains("status"), "every case is ok: {table}");
        assert!(!table.contains("color"));
    }

    #[test]
    fn a_table_that_is_longer_than_a_page_is_in_parts_with_all_its_rows() {
        let rows: Vec<_> = (0..100).map(|_| (None, 1.0, "row")).collect();
        let parts = latex(&ranked(&rows));
        assert_eq!(parts.len(), 3);
        assert_eq!(parts.iter().map(|part| part.matches("row &").count()).sum::<usize>(), 100);
        assert!(parts.iter().all(|part| part.contains("\\toprule") && part.contains("\\end{tabular}")));
    }

    #[test]
    fn long_texts_break_their_lines_within_the_page() {
        let columns = [TableColumn::new("claim", CellKind::Name), TableColumn::new("words", CellKind::Text)];
        let mut table = Table::new("", columns.to_vec());
        table.push(Emphasis::Plain, vec![TableCell::Text("C01".to_owned()), TableCell::Text("word ".repeat(60))]);
        let [part] = &latex(&table)[..] else { panic!("one page") };
        let share: f64 =
            part.split("p{").nth(1).and_then(|p| p.split('\\').next()).expect("a width").parse().expect("a number");
        assert!((0.5..1.0).contains(&share), "{share}");
    }
}

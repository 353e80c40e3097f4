//! A table as data: typed columns and cells, which a renderer turns into text. A renderer knows the kinds of cells, but
//! never a column by its position.

mod csv;
mod html;
mod latex;
mod markdown;
mod terminal;

pub(crate) use csv::csv;
pub(crate) use html::html;
pub(crate) use latex::{escape as latex_escape, latex};
pub(crate) use markdown::{escape, escape_line, markdown};
pub(crate) use terminal::terminal;

use crate::cell::named_source;
use crate::claims::Verdict;
use crate::format::{estimate, p_value, si, significant};
use crate::metric::{Better, Metric};
use crate::ranking::Ranks;
use crate::record::Status;
use crate::statistics::Interval;

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// What the table shows, for readers who cannot see it.
    pub(crate) about: String,
    /// The columns from left to right.
    pub(crate) columns: Vec<TableColumn>,
    /// The rows from top to bottom.
    pub(crate) rows: Vec<TableRow>,
}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct TableColumn {
    /// What the column holds.
    pub(crate) title: String,
    /// The source of the column's numbers, if a reader must know it. Otherwise empty.
    pub(crate) source: String,
    /// The kind of its cells.
    pub(crate) kind: CellKind,
    /// Whether the column is left out where there is little room.
    pub(crate) is_detail: bool,
    /// Which of the column's numbers are better, if they are costs that a reader may see relative to those of one model.
    pub(crate) cost: Option<Better>,
}

/// The kind of content that the cells of a column have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellKind {
    /// The place in a ranking.
    Rank,
    /// The name of the row.
    Name,
    /// A score with its interval.
    Estimate,
    /// A number, with or without a unit.
    Number,
    /// How a case ended.
    Status,
    /// Words.
    Text,
    /// Characters that must not be changed, such as a checksum.
    Code,
}

/// The side of a column at which its cells are aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// A row.
#[derive(Debug, Clone)]
pub(crate) struct TableRow {
    /// One cell per column.
    pub(crate) cells: Vec<TableCell>,
    /// How much the row stands out.
    pub(crate) emphasis: Emphasis,
    /// What the row is about; `None` if it is not about one model in one setting.
    pub(crate) subject: Option<Subject>,
}

/// What a row is about, so that a reader can look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The title of the setting.
    pub(crate) setting: String,
    /// The model's label.
    pub(crate) model: String,
    /// How its cases ended.
    pub(crate) status: Status,
}

/// How much a row stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Emphasis {
    Bold,
    Plain,
    Faint,
}

/// A cell.
#[derive(Debug, Clone)]
pub(crate) enum TableCell {
    /// There is nothing to show.
    Empty,
    /// The places that a model may have; `None` if it is not ranked.
    Rank(Option<Ranks>),
    /// A score, or how much better one is than another, and its 95 % interval.
    Estimate { metric: &'static Metric, value: f64, interval: Option<Interval> },
    /// A quantity in a plain SI unit, shown with a prefix.
    Quantity { value: f64, unit: &'static str },
    /// A number that is shown without a prefix.
    Number(f64),
    /// A p-value.
    P(f64),
    /// What a rule says.
    Verdict(Verdict),
    /// A number that is shown as this text.
    Written { value: f64, text: String },
    /// How a case ended. If that is not so for all seeds, also for which of them.
    Status { status: Status, seeds: String },
    /// The text of a column of names, words or code.
    Text(String),
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(about: impl Into<String>, columns: Vec<TableColumn>) -> Table {
        Table { about: about.into(), columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, emphasis: Emphasis, cells: Vec<TableCell>) {
        self.add(TableRow { cells, emphasis, subject: None });
    }

    /// Adds a row about a model in a setting.
    pub(crate) fn push_about(&mut self, subject: Subject, emphasis: Emphasis, cells: Vec<TableCell>) {
        self.add(TableRow { cells, emphasis, subject: Some(subject) });
    }

    fn add(&mut self, row: TableRow) {
        assert_eq!(row.cells.len(), self.columns.len(), "a row of '{}' has a cell for each column", self.about);
        self.rows.push(row);
    }

    /// The same table without its details, for places with little room.
    pub(crate) fn without_details(&self) -> Table {
        let kept = |index: usize| !self.columns[index].is_detail;
        let columns = self.columns.iter().filter(|column| !column.is_detail).cloned().collect();
        let cells = |row: &TableRow| {
            row.cells.iter().enumerate().filter(|(index, _)| kept(*index)).map(|(_, c)| c.clone()).collect()
        };
        let rows = self.rows.iter().map(|row| TableRow { cells: cells(row), ..row.clone() }).collect();
        Table { about: self.about.clone(), columns, rows }
    }
}

impl TableColumn {
    /// A column that is shown everywhere.
    pub(crate) fn new(title: impl Into<String>, kind: CellKind) -> TableColumn {
        TableColumn { title: title.into(), source: String::new(), kind, is_detail: false, cost: None }
    }

    /// A column of costs.
    pub(crate) fn cost(title: impl Into<String>, better: Better) -> TableColumn {
        TableColumn { cost: Some(better), ..TableColumn::new(title, CellKind::Number) }
    }

    /// The same column, left out where there is little room.
    pub(crate) fn detail(self) -> TableColumn {
        TableColumn { is_detail: true, ..self }
    }

    /// The same column with the source of its numbers, if it has one. Numbers of two sources are never in one column.
    pub(crate) fn measured_by(self, source: Option<&str>) -> TableColumn {
        TableColumn { source: source.map_or(String::new(), named_source), ..self }
    }

    /// The words above the column.
    pub(crate) fn heading(&self) -> String {
        let interval = if self.kind == CellKind::Estimate { " [95 %]" } else { "" };
        let source = if self.source.is_empty() { String::new() } else { format!(" ({})", self.source) };
        format!("{}{interval}{source}", self.title)
    }

    /// The side at which its cells are aligned.
    pub(crate) fn side(&self) -> Side {
        match self.kind {
            CellKind::Rank | CellKind::Number => Side::Right,
            _ => Side::Left,
        }
    }
}

impl TableCell {
    /// The text that a person reads. Renderers add their markup.
    pub(crate) fn text(&self) -> String {
        match self {
            TableCell::Empty => String::new(),
            TableCell::Rank(None) => "–".to_owned(),
            TableCell::Rank(Some(Ranks { best, worst })) if best == worst => best.to_string(),
            TableCell::Rank(Some(Ranks { best, worst })) => format!("{best}–{worst}"),
            TableCell::Estimate { metric, value, interval } => estimate(metric, *value, *interval),
            TableCell::Quantity { value, unit } => si(*value, unit),
            TableCell::Number(value) => significant(*value, 3),
            TableCell::P(p) => p_value(*p),
            TableCell::Verdict(verdict) => verdict.name().to_owned(),
            TableCell::Written { text, .. } => text.clone(),
            TableCell::Status { status, seeds } if seeds.is_empty() => status.to_string(),
            TableCell::Status { status, seeds } => format!("{status}, {seeds}"),
            TableCell::Text(text) => text.clone(),
        }
    }

    /// The text that a program reads: a number with all its digits and no unit.
    pub(crate) fn exact(&self) -> String {
        match self {
            TableCell::Quantity { value, .. }
            | TableCell::Number(value)
            | TableCell::P(value)
            | TableCell::Written { value, .. }
            | TableCell::Estimate { value, .. } => value.to_string(),
            cell => cell.text(),
        }
    }

    /// The number by which rows are sorted; `None` if the cell has none.
    pub(crate) fn sort_key(&self) -> Option<f64> {
        let key = match self {
            TableCell::Rank(ranks) => ranks.map(|Ranks { best, worst }| best as f64 + worst as f64 / 1e4)?,
            TableCell::Quantity { value, .. }
            | TableCell::Number(value)
            | TableCell::P(value)
            | TableCell::Written { value, .. }
            | TableCell::Estimate { value, .. } => *value,
            _ => return None,
        };
        key.is_finite().then_some(key)
    }

    /// Whether the cell shows that a case did not end well, or that a claim is not so.
    pub(crate) fn is_bad(&self) -> bool {
        match self {
            TableCell::Status { status, .. } => *status != Status::Ok,
            TableCell::Verdict(verdict) => *verdict == Verdict::Refuted,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with a cell of every kind.
    fn example() -> Table {
        let columns = [
            TableColumn::new("#", CellKind::Rank),
            TableColumn::new("model", CellKind::Name),
            TableColumn::new("energy", CellKind::Number).measured_by(Some("estimate")).detail(),
            TableColumn::new("status", CellKind::Status),
            TableColumn::new("note", CellKind::Text),
        ];
        let mut table = Table::new("a | b", columns.to_vec());
        table.push(
            Emphasis::Bold,
            vec![
                TableCell::Rank(Some(Ranks { best: 1, worst: 1 })),
                TableCell::Text("<svm>".to_owned()),
                TableCell::Quantity { value: 0.012_345, unit: "J" },
                TableCell::Status { status: Status::Ok, seeds: String::new() },
                TableCell::Empty,
            ],
        );
        table.push(
            Emphasis::Faint,
            vec![
                TableCell::Rank(None),
                TableCell::Text("a,b".to_owned()),
                TableCell::Empty,
                TableCell::Status { status: Status::Failed, seeds: "1 of 2 seeds".to_owned() },
                TableCell::Text("x | *y*".to_owned()),
            ],
        );
        table
    }

    #[test]
    fn the_same_table_goes_through_every_renderer() {
        let table = example();
        assert_eq!(
            markdown(&table),
            "| # | model | energy (estimate ± 40 %) | status | note |\n| ---: | --- | ---: | --- | --- |\n\
             | 1 | \\<svm\\> | 12.3 mJ | ok |  |\n| – | a,b |  | failed, 1 of 2 seeds | x \\| \\*y\\* |\n"
        );
        assert_eq!(
            terminal(&table.without_details()),
            " #  model  status                note\n 1  <svm>  ok\n –  a,b    failed, 1 of 2 seeds  x | *y*\n"
        );
        assert_eq!(
            String::from_utf8_lossy(&csv(&table)),
            "#,model,energy,status,note\n1,<svm>,0.012345,ok,\n–,\"a,b\",,\"failed, 1 of 2 seeds\",x | *y*\n"
        );
        let page = html(&table).into_string();
        for part in [
            "aria-label=\"a | b\"",
            "<th class=\"number\" scope=\"col\">energy (estimate ± 40 %)</th>",
            "<tr class=\"best\">",
            "<th scope=\"row\">&lt;svm&gt;</th>",
            "<td class=\"number\" data-sort=\"0.012345\">12.3 mJ</td>",
            "<tr class=\"unranked\">",
            "<td class=\"bad\">failed, 1 of 2 seeds</td>",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}

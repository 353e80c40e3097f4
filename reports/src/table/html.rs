//! A table in HTML. Attributes tell the script of the page what it sorts and filters by.

use maud::{Markup, html as markup};

use super::{CellKind, Emphasis, Side, Table, TableCell, TableColumn, TableRow};
use crate::cell::{ESTIMATE, named_source};
use crate::metric::Better;

/// The table, in a box that scrolls sideways if the page is too narrow for the table.
pub(crate) fn html(table: &Table) -> Markup {
    markup! {
        div.wide tabindex="0" role="region" aria-label=(table.about) {
            table {
                thead {
                    tr {
                        @for (index, column) in table.columns.iter().enumerate() {
                            th class=[number(column)] scope="col" data-first=[first(table, index)] data-cost[is_comparable(column)] {
                                (column.heading())
                            }
                        }
                    }
                }
                tbody { @for row in &table.rows { (line(table, row)) } }
            }
        }
    }
}

fn line(table: &Table, row: &TableRow) -> Markup {
    let about = row.subject.as_ref();
    let setting = about.map(|about| &about.setting);
    let model = about.map(|about| &about.model);
    let status = about.map(|about| about.status.name());
    markup! {
        tr class=[emphasis(row.emphasis)] data-setting=[setting] data-model=[model] data-status=[status] {
            (cells(table, row))
        }
    }
}

fn cells(table: &Table, row: &TableRow) -> Markup {
    markup! {
        @for (column, cell) in table.columns.iter().zip(&row.cells) {
            @match column.kind {
                CellKind::Name => th scope="row" { (cell.text()) },
                CellKind::Code => td { code { (cell.text()) } },
                CellKind::Text => td.text[is_long(cell)] data-sort=[cell.sort_key()] { (cell.text()) },
                CellKind::Status => td class=[cell.is_bad().then_some("bad")] { (cell.text()) },
                _ => td class=[number(column)] data-sort=[cell.sort_key()] { (cell.text()) },
            }
        }
    }
}

/// Whether the text of a cell may go over several lines.
fn is_long(cell: &TableCell) -> bool {
    const ONE_LINE: usize = 32;
    cell.text().chars().count() > ONE_LINE
}

/// The direction in which the column is sorted first, if that is not ascending: the best is to be at the top.
fn first(table: &Table, index: usize) -> Option<&'static str> {
    let column = &table.columns[index];
    let metric = table.rows.iter().find_map(|row| match &row.cells[index] {
        TableCell::Estimate { metric, .. } => Some(metric.better),
        _ => None,
    });
    let is_descending = column.cost.or(metric) == Some(Better::Higher);
    is_descending.then_some("descending")
}

/// Whether the column's numbers may be divided by one of them: they are costs, and no estimates.
fn is_comparable(column: &TableColumn) -> bool {
    column.cost.is_some() && column.source != named_source(ESTIMATE)
}

/// The CSS class of a row.
fn emphasis(emphasis: Emphasis) -> Option<&'static str> {
    match emphasis {
        Emphasis::Bold => Some("best"),
        Emphasis::Plain => None,
        Emphasis::Faint => Some("unranked"),
    }
}

/// The CSS class of cells with numbers.
fn number(column: &TableColumn) -> Option<&'static str> {
    (column.side() == Side::Right).then_some("number")
}

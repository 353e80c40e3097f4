//! A table in HTML.

use maud::{Markup, html as markup};

use super::{CellKind, Emphasis, Side, Table, TableColumn};

/// The table, in a box that scrolls sideways if the page is too narrow for the table.
pub(crate) fn html(table: &Table) -> Markup {
    markup! {
        div.wide tabindex="0" role="region" aria-label=(table.about) {
            table {
                thead {
                    tr {
                        @for column in &table.columns {
                            th class=[number(column)] scope="col" { (column.heading()) }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr class=[emphasis(row.emphasis)] {
                            @for (column, cell) in table.columns.iter().zip(&row.cells) {
                                @match column.kind {
                                    CellKind::Name => th scope="row" { (cell.text()) },
                                    CellKind::Code => td { code { (cell.text()) } },
                                    CellKind::Text => td.text { (cell.text()) },
                                    CellKind::Status => td class=[cell.is_bad().then_some("bad")] { (cell.text()) },
                                    _ => td class=[number(column)] { (cell.text()) },
                                }
                            }
                        }
                    }
                }
            }
        }
    }
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

//! A table in HTML.

use maud::{Markup, html as markup};

use super::{CellKind, Column, Side, Table, Weight};

/// The table in a box that scrolls sideways where the page is too narrow for it.
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
                        tr class=[emphasis(row.weight)] {
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

/// The class of a row.
fn emphasis(weight: Weight) -> Option<&'static str> {
    match weight {
        Weight::Bold => Some("best"),
        Weight::Plain => None,
        Weight::Faint => Some("unranked"),
    }
}

/// The class of the cells of a column of numbers.
fn number(column: &Column) -> Option<&'static str> {
    (column.side() == Side::Right).then_some("number")
}

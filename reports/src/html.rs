//! `report.html`: one self-contained file.

use maud::{DOCTYPE, html};

use crate::results::Results;
use crate::table::{cells, header};

/// The text of `report.html`.
pub(crate) fn html(results: &Results, remarks: &[String]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "bakeoff: " (results.info.run) } }
            body {
                h1 { (results.info.suite) }
                @for remark in remarks { p { (remark) } }
                @for table in &results.tables {
                    h2 { (results.setting(table.setting).title) }
                    table {
                        tr { @for title in header(results.setting(table.setting)) { th { (title) } } }
                        @for line in &table.lines {
                            tr { @for cell in cells(&results.grid, table, line) { td { (cell) } } }
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

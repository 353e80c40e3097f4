//! A table as plain text in columns of equal width.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table as TextTable};

use super::{Side, Table};

/// The lines of the table. They have no colours, so that they can be piped.
pub(crate) fn terminal(table: &Table) -> String {
    let mut drawn = TextTable::new();
    drawn.load_style(NOTHING).force_no_tty();
    drawn.set_header(table.columns.iter().map(|column| column.heading()));
    for row in &table.rows {
        drawn.add_row(row.cells.iter().map(|cell| cell.text().replace(char::is_control, " ")));
    }
    for (drawn, column) in drawn.column_iter_mut().zip(&table.columns) {
        if column.side() == Side::Right {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    drawn.trim_fmt() + "\n"
}

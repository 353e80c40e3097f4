//! The small table that ends a run on a terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table as TextTable};

use crate::results::Results;
use crate::table::{cells, header};

/// One table per setting: rank, model, primary metric, fit time, p50 latency, throughput, joules and status. Ends with
/// a newline; has no colours, so it can be piped.
pub fn terminal_table(results: &Results) -> String {
    const SHOWN: &[usize] = &[0, 1, 2, 3, 4, 6, 7, 11];
    let mut text = String::new();
    for table in &results.tables {
        let setting = results.setting(table.setting);
        let mut drawn = TextTable::new();
        drawn.load_style(NOTHING).force_no_tty();
        let titles = header(&results.grid, table);
        drawn.set_header(SHOWN.iter().map(|column| titles[*column].clone()));
        for line in &table.lines {
            let cells = cells(&results.grid, table, line);
            drawn.add_row(SHOWN.iter().map(|column| cells[*column].clone()));
        }
        for column in [0, 3, 4, 5, 6] {
            drawn.column_mut(column).expect("the header made the columns").set_cell_alignment(CellAlignment::Right);
        }
        text += &format!("{}\n", setting.title);
        text += &drawn.trim_fmt();
        text.push_str("\n\n");
    }
    if text.is_empty() { "No case has finished yet.\n".to_owned() } else { text.trim_end().to_owned() + "\n" }
}

//! A table as comma-separated values (RFC 4180). Every number has all its digits.

use csv::Writer;

use super::Table;

/// The bytes of the file.
pub(crate) fn csv(table: &Table) -> Vec<u8> {
    let in_memory = "memory takes every write and every row has a cell for each column";
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(table.columns.iter().map(|column| &column.title)).expect(in_memory);
    for row in &table.rows {
        writer.write_record(row.cells.iter().map(|cell| cell.exact())).expect(in_memory);
    }
    writer.into_inner().expect(in_memory)
}

#![no_main]
use bakeoff_datasets::own::{Column, DataFormat, TableLayout, Target};
use bakeoff_fuzz::{load, written};

// The first byte sets the layout.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&flags, text)) = data.split_first() else { return };
    let is = |bit: u8| flags & (1 << bit) != 0;
    let target = if is(2) { Target::Value(Column::Number(1)) } else { Target::Class(Column::Number(1)) };
    let layout = TableLayout {
        delimiter: if is(3) { b'\t' } else { b',' },
        quoting: is(0),
        header: is(1),
        text: Column::Number(0),
        joined: if is(5) { vec![Column::Number(3)] } else { Vec::new() },
        second: is(4).then_some(Column::Number(2)),
        target,
    };
    load(DataFormat::Table(layout), written("table", text), None);
});

//! Made-up runs whose labels are variants of a few models.

use bakeoff_reports::RunDir;

use crate::renamed::rename;

/// A label of a made-up run, and the label, model and parameters that it gets in a grid.
pub(crate) type Variant = (&'static str, &'static str, &'static str, &'static str);

/// Makes these labels variants of a few models.
pub(crate) fn make_grid(dir: &RunDir, variants: &[Variant]) {
    let of = |label: &str| *variants.iter().find(|(_, new, _, _)| *new == label).unwrap();
    rename(dir, &variants.iter().map(|(from, to, _, _)| (*from, *to)).collect::<Vec<_>>());
    let mut info = dir.info().unwrap();
    for case in &mut info.cases {
        case.model = of(&case.label).2.to_owned();
    }
    dir.write_info(&info).unwrap();
    let mut records = dir.records().unwrap().rows;
    for record in &mut records {
        let (_, _, model, params) = of(&record.label);
        (record.model, record.params) = (model.to_owned(), params.to_owned());
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
}

//! A run whose user chose other names.

use bakeoff_reports::RunDir;

/// The names that a user can set, each replaced.
pub(crate) fn rename(dir: &RunDir, renamed: &[(&str, &str)]) {
    let new = |name: &mut String| {
        if let Some((_, to)) = renamed.iter().find(|(from, _)| from == name) {
            *name = (*to).to_owned();
        }
    };
    let mut info = dir.info().unwrap();
    for task in &mut info.tasks {
        new(&mut task.name);
        new(&mut task.unit);
        task.classes.iter_mut().for_each(new);
    }
    for case in &mut info.cases {
        new(&mut case.task);
        new(&mut case.label);
        let Some(mut rows) = dir.predictions(&case.case).unwrap().map(|intact| intact.rows) else { continue };
        for row in &mut rows {
            new(&mut row.target);
            new(&mut row.prediction);
        }
        dir.write_rows(&dir.predictions_path(&case.case), &rows).unwrap();
    }
    dir.write_info(&info).unwrap();
    let mut records = dir.records().unwrap().rows;
    for record in &mut records {
        new(&mut record.task);
        new(&mut record.label);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
}

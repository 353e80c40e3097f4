//! Folders as mirrors, in every layout that is promised.

use std::fs;
use std::path::Path;

use bakeoff_datasets::{Cifar10Sample, FetchOptions, Fetched, Mirror, Store, fetch};

use crate::server::{Answer, Server};
use crate::toys::{Bench, GOOD, TAR, ZIP, tarred, zipped};

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_folder_may_hold_the_archive_or_the_files_in_the_family_s_folder_or_right_there() {
    let archive = zipped(&GOOD);
    let layouts: [&[(&str, &[u8])]; 5] = [
        &[("toys/Blocks.zip", &archive)],
        &[("Blocks.zip", &archive)],
        &[("toys/Blocks/alpha.txt", b"alpha\n"), ("toys/Blocks/beta.txt", b"beta\n")],
        &[("Blocks/alpha.txt", b"alpha\n"), ("Blocks/beta.txt", b"beta\n")],
        &[("toys/blocks/alpha.txt", b"alpha\n"), ("toys/blocks/beta.txt", b"beta\n")],
    ];
    for layout in layouts {
        let mirror = tempfile::tempdir().unwrap();
        layout.iter().for_each(|(name, bytes)| write(mirror.path(), name, bytes));
        let mut bench = Bench::new();
        assert_eq!(bench.fetch(&ZIP, mirror.path().to_str()).unwrap(), Fetched::Downloaded, "{:?}", layout[0].0);
        bench.assert_whole();
        layout.iter().for_each(|(name, bytes)| assert_eq!(fs::read(mirror.path().join(name)).unwrap(), *bytes));
    }
}

#[test]
fn a_server_may_hold_the_unpacked_files() {
    let server = Server::new(|_, asked| match asked.path.as_str() {
        "/base/Blocks/alpha.txt" => Answer::File(b"alpha\n".to_vec()),
        "/base/Blocks/beta.txt" => Answer::File(b"beta\n".to_vec()),
        _ => Answer::Status(404, "no such file"),
    });
    let mut bench = Bench::new();
    bench.fetch(&TAR, Some(&format!("{}/base/", server.url))).unwrap();
    bench.assert_whole();
}

#[test]
fn a_tar_archive_comes_too() {
    let mirror = tempfile::tempdir().unwrap();
    write(mirror.path(), "Blocks.tar.gz", &tarred(&GOOD));
    let mut bench = Bench::new();
    bench.fetch(&TAR, mirror.path().to_str()).unwrap();
    bench.assert_whole();
}

#[test]
fn a_mirror_with_one_file_of_two_is_refused_with_the_names_that_were_looked_for() {
    let mirror = tempfile::tempdir().unwrap();
    write(mirror.path(), "Blocks/alpha.txt", b"alpha\n");
    let mut bench = Bench::new();
    let message = bench.refusal(&ZIP, mirror.path().to_str());
    let expected = format!(
        "{} does not hold toys/blocks: it has no toys/Blocks.zip, no Blocks.zip, no toys/Blocks/beta.txt, no \
         Blocks/beta.txt, no toys/blocks/beta.txt",
        mirror.path().display()
    );
    assert_eq!(message, expected);
    bench.assert_empty();
}

#[test]
fn a_wrong_file_in_a_mirror_is_refused_and_stays_there() {
    let mirror = tempfile::tempdir().unwrap();
    write(mirror.path(), "Blocks/alpha.txt", b"Alpha\n");
    write(mirror.path(), "Blocks/beta.txt", b"beta\n");
    let mut bench = Bench::new();
    let message = bench.refusal(&ZIP, mirror.path().to_str());
    assert!(message.contains(&mirror.path().join("Blocks/alpha.txt").display().to_string()), "{message}");
    bench.assert_empty();
    assert!(mirror.path().join("Blocks/alpha.txt").exists());
}

#[test]
fn a_mirror_is_an_address_or_a_folder_that_exists() {
    for wrong in ["/no/such/folder", "http://", "https:///glue", "http://:80"] {
        let message = Mirror::parse(wrong).unwrap_err().to_string();
        let expected = format!("--mirror {wrong}: expected a folder that exists, or an address such as https://");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn a_sample_is_not_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::embedded().with_data(folder.path());
    let message = fetch(&Cifar10Sample, &store, &FetchOptions::default(), &mut |_| {}).unwrap_err().to_string();
    assert_eq!(message, "cifar10-sample is in the program: there is nothing to fetch");
}

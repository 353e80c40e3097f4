//! Servers that fail, and downloads that go on.

use std::fs::File;
use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::{env, fs};

use bakeoff_datasets::{FetchProgress, Fetched};

use crate::server::{Answer, Asked, Server};
use crate::toys::{Bench, GOOD, ZIP, server_of, zip_at, zipped};

const ARCHIVE: &str = "/toys/Blocks.zip";

/// A server of the whole archive for all requests but those that `other` answers.
fn server(other: impl Fn(usize, &Asked) -> Option<Answer> + Send + Sync + 'static) -> Server {
    Server::new(move |before, asked| match other(before, asked) {
        Some(answer) => answer,
        None if asked.path == ARCHIVE => Answer::File(zipped(&GOOD)),
        None => Answer::Status(404, "no such file"),
    })
}

/// The one partial download in the data folder.
fn part(bench: &Bench) -> std::path::PathBuf {
    let leftovers = bench.leftovers();
    let [part] = leftovers.as_slice() else { panic!("not one partial download: {leftovers:?}") };
    assert!(part.to_string_lossy().ends_with(".part"), "{part:?}");
    part.clone()
}

#[test]
fn an_archive_comes_is_verified_and_leaves_nothing_else() {
    let server = server(|_, _| None);
    let mut bench = Bench::new();
    assert_eq!(bench.fetch(&ZIP, Some(&server.url)).unwrap(), Fetched::Downloaded);
    bench.assert_whole();
    let total = zipped(&GOOD).len() as u64;
    assert!(bench.told.contains(&FetchProgress::Bytes { done: total, total: Some(total) }), "{:?}", bench.told);
    assert_eq!(bench.fetch(&ZIP, Some(&server.url)).unwrap(), Fetched::AlreadyComplete);
    assert_eq!(server.asked().len(), 1, "what is here is not fetched again");
}

#[test]
fn a_broken_file_in_the_data_folder_is_fetched_again() {
    let server = server(|_, _| None);
    let mut bench = Bench::new();
    bench.fetch(&ZIP, Some(&server.url)).unwrap();
    fs::write(bench.folder.path().join("toys/blocks/beta.txt"), "betq\n").unwrap();
    assert_eq!(bench.fetch(&ZIP, Some(&server.url)).unwrap(), Fetched::Downloaded);
    bench.assert_whole();
}

#[test]
fn without_a_network_one_line_says_which_file_to_put_where() {
    let mut bench = Bench::new();
    let message = bench.refusal(&ZIP, None);
    let expected = "http://127.0.0.1:9/Blocks.zip: the connection was refused; try again later, or put Blocks.zip into a \
                    folder and name it: `bakeoff data fetch toys/blocks --mirror FOLDER`";
    assert_eq!(message, expected);
    bench.assert_empty();
}

#[test]
fn a_host_that_is_not_found_asks_whether_there_is_a_network() {
    let mut bench = Bench::new();
    // No resolver asks anybody for a name with a part of more than 63 letters.
    let message = bench.refusal(&ZIP, Some(&format!("http://{}.invalid", "a".repeat(64))));
    assert!(message.contains("Blocks.zip: its host was not found: is there a network?; try again later"), "{message}");
    bench.assert_empty();
}

#[test]
fn a_server_that_lacks_the_files_is_told_from_one_that_fails() {
    let mut bench = Bench::new();
    let lacks = server_of("nothing", Vec::new());
    let message = bench.refusal(&ZIP, Some(&lacks.url));
    assert!(
        message.starts_with(&format!("{} does not hold toys/blocks: it has no toys/Blocks.zip", lacks.url)),
        "{message}"
    );
    let fails = server(|_, _| Some(Answer::Status(500, "broken")));
    let message = bench.refusal(&ZIP, Some(&fails.url));
    assert!(message.contains("Blocks.zip: the server answered HTTP 500; try again later"), "{message}");
    bench.assert_empty();
}

#[test]
fn an_official_address_that_lacks_the_file_says_which_file_to_put_where() {
    let mut bench = Bench::new();
    let lacks = server_of("nothing", Vec::new());
    let url = format!("{}/Blocks.zip", lacks.url);
    let expected = format!(
        "{url}: the server does not have it (HTTP 404); try again later, or put Blocks.zip into a folder and name it: \
         `bakeoff data fetch toys/blocks --mirror FOLDER`"
    );
    assert_eq!(bench.refusal(&zip_at(url), None), expected);
    bench.assert_empty();
}

#[test]
fn a_web_page_in_place_of_the_archive_is_told_as_such() {
    for page in ["<!DOCTYPE html><title>Log in</title>", "\n <html>", "<HTML>"] {
        let portal = server(move |_, _| Some(Answer::Status(200, page)));
        let mut bench = Bench::new();
        let message = bench.refusal(&ZIP, Some(&portal.url));
        assert!(message.contains("a web page came in place of the file"), "{message}");
        bench.assert_empty();
    }
}

#[test]
fn a_web_page_does_not_cost_what_came_before() {
    let (mut bench, server) = cut_off(|| Answer::Status(200, "<html>Log in</html>"));
    let part = part(&bench);
    let before = fs::read(&part).unwrap();
    let message = bench.refusal(&ZIP, Some(&server.url));
    assert!(message.contains("a web page came in place of the file"), "{message}");
    assert_eq!(fs::read(&part).unwrap(), before);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent = server(|_, _| Some(Answer::Silence));
    let mut bench = Bench::new();
    let message = bench.refusal(&ZIP, Some(&silent.url));
    assert!(message.contains("no answer in time; try again later"), "{message}");
    bench.assert_empty();
}

#[test]
fn a_server_that_falls_silent_in_mid_file_is_given_up_and_taken_up_where_it_stopped() {
    let stalling = server(|before, _| (before < 1).then(|| Answer::Stall(zipped(&GOOD), 50)));
    let mut bench = Bench::new();
    bench.fetch(&ZIP, Some(&stalling.url)).unwrap();
    bench.assert_whole();
    let from: Vec<_> = stalling.asked().into_iter().map(|asked| asked.from).collect();
    assert_eq!(from, [None, Some(50)]);
}

#[test]
fn a_connection_that_breaks_in_mid_file_is_taken_up_where_it_broke() {
    let flaky = server(|before, _| (before < 2).then(|| Answer::CutOff(zipped(&GOOD), 50)));
    let mut bench = Bench::new();
    bench.fetch(&ZIP, Some(&flaky.url)).unwrap();
    bench.assert_whole();
    assert_eq!(flaky.asked().iter().map(|asked| asked.from).collect::<Vec<_>>(), [None, Some(50), Some(100)]);
}

#[test]
fn what_came_before_a_break_is_kept_for_the_next_attempt() {
    let flaky = server(|before, _| match before {
        0 => Some(Answer::CutOff(zipped(&GOOD), 60)),
        1 => Some(Answer::CutOff(zipped(&GOOD), 0)),
        _ => None,
    });
    let mut bench = Bench::new();
    let message = bench.refusal(&ZIP, Some(&flaky.url));
    assert!(message.contains("cut off after 60") && message.contains("try again later"), "{message}");
    assert_eq!(fs::read(part(&bench)).unwrap(), zipped(&GOOD)[..60]);

    bench.fetch(&ZIP, Some(&flaky.url)).unwrap();
    bench.assert_whole();
    assert_eq!(flaky.asked().last().unwrap().from, Some(60));
}

/// A bench whose download was cut off after 60 bytes, and its server, which then answers by `later`.
fn cut_off(later: impl Fn() -> Answer + Send + Sync + 'static) -> (Bench, Server) {
    let server = server(move |before, _| match before {
        0 => Some(Answer::CutOff(zipped(&GOOD), 60)),
        1 => Some(Answer::Status(503, "busy")),
        _ => Some(later()),
    });
    let mut bench = Bench::new();
    bench.refusal(&ZIP, Some(&server.url));
    (bench, server)
}

#[test]
fn a_connection_that_is_reset_in_mid_file_keeps_what_came_for_the_next_attempt() {
    let resetting = server(|before, _| match before {
        0 => Some(Answer::Reset(zipped(&GOOD), 60)),
        1 => Some(Answer::Reset(zipped(&GOOD), 0)),
        _ => None,
    });
    let mut bench = Bench::new();
    let message = bench.refusal(&ZIP, Some(&resetting.url));
    assert!(message.contains("cut off after 60 bytes"), "{message}");
    assert_eq!(fs::read(part(&bench)).unwrap(), zipped(&GOOD)[..60]);

    bench.fetch(&ZIP, Some(&resetting.url)).unwrap();
    bench.assert_whole();
    let from: Vec<_> = resetting.asked().into_iter().map(|asked| asked.from).collect();
    assert_eq!(from, [None, Some(60), Some(60)]);
}

#[test]
fn a_server_that_sends_less_than_was_asked_is_asked_for_the_rest() {
    let (mut bench, server) = cut_off(|| Answer::Piece(zipped(&GOOD), 70));
    bench.fetch(&ZIP, Some(&server.url)).unwrap();
    bench.assert_whole();
    let from: Vec<_> = server.asked().into_iter().skip(2).map(|asked| asked.from).collect();
    assert_eq!(from, [Some(60), Some(130), Some(200)]);
}

#[test]
fn a_server_that_sends_a_byte_now_and_then_is_asked_for_the_rest() {
    let trickling = server(|before, _| (before < 1).then(|| Answer::Trickle(zipped(&GOOD), Duration::from_millis(40))));
    let mut bench = Bench::new();
    bench.fetch_with(&ZIP, Some(&trickling.url), Duration::from_millis(100), &mut |_| {}).unwrap();
    bench.assert_whole();
    let asked = trickling.asked();
    assert!(asked.len() == 2 && asked[1].from.is_some(), "{asked:?}");
}

#[test]
fn a_rest_that_does_not_fit_is_thrown_away_and_all_is_read_also_within_one_fetch() {
    let wrong: [fn() -> Answer; 2] = [|| Answer::File(vec![7; 500]), || Answer::Status(416, "")];
    for wrong in wrong {
        let server = server(move |before, _| match before {
            0 => Some(Answer::CutOff(zipped(&GOOD), 60)),
            1 => Some(wrong()),
            _ => None,
        });
        let mut bench = Bench::new();
        bench.fetch(&ZIP, Some(&server.url)).unwrap();
        bench.assert_whole();
        assert_eq!(server.asked().last().unwrap().from, None);
    }
}

#[test]
fn a_partial_download_goes_when_the_dataset_has_come_from_elsewhere() {
    let (mut bench, _) = cut_off(|| Answer::Silence);
    let other = bench.folder.path().join(".fetch/toys-bricks.Blocks.zip.01234567.part");
    fs::write(&other, "of another dataset").unwrap();
    bench.fetch(&ZIP, Some(&server(|_, _| None).url)).unwrap();
    assert_eq!(bench.leftovers(), [other]);
}

#[test]
fn a_server_that_ignores_ranges_is_read_from_the_start() {
    let (mut bench, server) = cut_off(|| Answer::WholeFile(zipped(&GOOD)));
    bench.fetch(&ZIP, Some(&server.url)).unwrap();
    bench.assert_whole();
}

#[test]
fn a_partial_download_that_does_not_fit_is_thrown_away_and_all_is_read() {
    for garbage in [vec![7; 60], vec![7; 100_000]] {
        let (mut bench, server) = cut_off(|| Answer::File(zipped(&GOOD)));
        fs::write(part(&bench), &garbage).unwrap();
        bench.fetch(&ZIP, Some(&server.url)).unwrap();
        bench.assert_whole();
    }
}

#[test]
fn a_download_that_was_whole_but_not_yet_unpacked_is_used() {
    let (mut bench, server) = cut_off(|| Answer::File(zipped(&GOOD)));
    fs::write(part(&bench), zipped(&GOOD)).unwrap();
    let before = server.asked().len();
    bench.fetch(&ZIP, Some(&server.url)).unwrap();
    bench.assert_whole();
    assert_eq!(server.asked().len(), before + 1);
}

#[test]
fn a_download_larger_than_it_can_be_is_refused() {
    let endless = server(|_, _| Some(Answer::File(vec![b'P'; 1_000_001])));
    let mut bench = Bench::new();
    let message = bench.refusal(&ZIP, Some(&endless.url));
    assert!(message.contains("more than the 1000000 bytes that it can have"), "{message}");
    bench.assert_empty();
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_with_the_file_and_leaves_nothing() {
    let (mut bench, server) = cut_off(|| Answer::File(zipped(&GOOD)));
    let part = part(&bench);
    fs::remove_file(&part).unwrap();
    // Whatever is written there fails as on a disk without room.
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let message = bench.refusal(&ZIP, Some(&server.url));
    assert!(message.starts_with(&format!("cannot write {}: No space left", part.display())), "{message}");
    assert!(message.contains("BAKEOFF_DATA"), "{message}");
    bench.assert_empty();
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_while_unpacking_costs_no_second_download() {
    let server = server(|_, _| None);
    let mut bench = Bench::new();
    let staged = bench.folder.path().join(".fetch/toys-blocks/alpha.txt");
    let fetched = bench.fetch_with(&ZIP, Some(&server.url), Duration::from_millis(400), &mut |progress| {
        if *progress == FetchProgress::Unpacking {
            std::os::unix::fs::symlink("/dev/full", &staged).unwrap();
        }
    });
    let message = fetched.unwrap_err().to_string();
    assert!(message.starts_with(&format!("cannot write {}: No space left", staged.display())), "{message}");
    assert_eq!(fs::read(part(&bench)).unwrap(), zipped(&GOOD));

    bench.fetch(&ZIP, Some(&server.url)).unwrap();
    bench.assert_whole();
    let from: Vec<_> = server.asked().into_iter().map(|asked| asked.from).collect();
    assert_eq!(from, [None, Some(zipped(&GOOD).len())], "only whether there is more was asked");
}

#[test]
fn what_is_here_is_found_where_nothing_can_be_written() {
    let server = server(|_, _| None);
    let mut bench = Bench::new();
    bench.fetch(&ZIP, Some(&server.url)).unwrap();
    // A file in place of the folder for what is under way: nobody, the superuser included, can take a lock there.
    let work = bench.folder.path().join(".fetch");
    fs::remove_dir_all(&work).unwrap();
    fs::write(&work, "").unwrap();
    assert_eq!(bench.fetch(&ZIP, Some(&server.url)).unwrap(), Fetched::AlreadyComplete);
}

#[test]
fn a_folder_in_place_of_a_file_is_told_before_anything_is_asked_with_a_remedy_that_works() {
    let server = server(|_, _| None);
    let mut bench = Bench::new();
    let path = bench.folder.path().join("toys/blocks/beta.txt");
    fs::create_dir_all(&path).unwrap();
    let message = bench.refusal(&ZIP, Some(&server.url));
    let expected = format!(
        "cannot read {}: it is not a file; remove what is there, or set BAKEOFF_DATA to another folder, then get it \
         with `bakeoff data fetch toys/blocks`",
        path.display()
    );
    assert_eq!(message, expected);
    assert!(server.asked().is_empty());
    fs::remove_dir(&path).unwrap();
    bench.fetch(&ZIP, Some(&server.url)).unwrap();
    bench.assert_whole();
}

#[test]
#[cfg(target_os = "linux")]
fn a_data_folder_that_cannot_be_written_is_told() {
    let store = bakeoff_datasets::Store::embedded().with_data("/proc/bakeoff");
    let options = bakeoff_datasets::FetchOptions::default();
    let message = bakeoff_datasets::fetch(&ZIP, &store, &options, &mut |_| {}).unwrap_err().to_string();
    assert!(message.starts_with("cannot write /proc/bakeoff/.fetch: "), "{message}");
    let file = env::current_exe().unwrap();
    let store = bakeoff_datasets::Store::embedded().with_data(&file);
    let message = bakeoff_datasets::fetch(&ZIP, &store, &options, &mut |_| {}).unwrap_err().to_string();
    let expected = format!("cannot read {}/toys/blocks/alpha.txt: Not a directory", file.display());
    assert!(message.starts_with(&expected) && message.contains("set BAKEOFF_DATA to another"), "{message}");
}

#[test]
fn a_second_process_waits_for_the_first_and_says_for_whom() {
    let server = server(|_, _| None);
    let mut bench = Bench::new();
    let work = bench.folder.path().join(".fetch");
    fs::create_dir(&work).unwrap();
    let mut first = File::create(work.join("toys-blocks.lock")).unwrap();
    first.lock().unwrap();
    write!(first, "4711").unwrap();
    let (sender, receiver) = mpsc::channel();
    let release = thread::spawn(move || {
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        drop(first);
    });
    let options = bakeoff_datasets::FetchOptions {
        mirror: Some(bakeoff_datasets::Mirror::parse(&server.url).unwrap()),
        ..Default::default()
    };
    let store = bakeoff_datasets::Store::embedded().with_data(bench.folder.path());
    let mut tell = |progress| {
        if matches!(progress, FetchProgress::Waiting { .. }) {
            sender.send(()).unwrap();
        }
        bench.told.push(progress);
    };
    assert_eq!(bakeoff_datasets::fetch(&ZIP, &store, &options, &mut tell).unwrap(), Fetched::Downloaded);
    release.join().unwrap();
    assert_eq!(bench.told[0], FetchProgress::Waiting { holder: "process 4711".to_owned() });
    bench.assert_whole();
}

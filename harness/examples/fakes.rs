//! The whole program over fake tasks, fake models and a fake machine.
//!
//! The tests run it to see exact numbers and every fault a model can have. It also shows how another crate adds a task
//! or a model of its own: implement the traits, put them into a [`Program`], hand over the command line.

use std::cell::Cell;
use std::collections::HashSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bakeoff::machine::{Machine, Peak, fingerprinted};
use bakeoff::program::Program;
use bakeoff::tasks::Task;
use bakeoff_datasets::{DataFile, DatasetError, Inputs, Split, Splits, Store, Targets, Text};
use bakeoff_models::{
    Card, DefaultValue, Device, Domain, EpochReport, Footprint, InputShape, Matrix, Model, ModelEntry, ModelError,
    Param, Predictions, Resolved, Scale, Search, SearchDefault, Spec, Support, TargetShape, TaskShape, Threads, Watch,
};
use bakeoff_reports::MachineInfo;

fn main() -> ExitCode {
    let program = Program { tasks: TASKS, models: MODELS, machine: &FakeMachine };
    bakeoff::commands::main(&program, std::env::args_os())
}

/// A machine on virtual time: a reading of the clock takes one millisecond, one of the processor time two, and a sleep as long as it
/// says.
struct FakeMachine;

/// The time of one thread. Each has its own, so that the readings of one thread take no time from another, and every duration that a
/// thread measures is exact however many others run. The clock of a new thread begins where the latest one is.
#[derive(Clone, Copy)]
struct Clock {
    now: Duration,
    cpu: Duration,
    /// Whether it has stopped.
    stands: bool,
    /// By how much the next sleep is too long.
    oversleep: Duration,
}

thread_local! {
    static CLOCK: Cell<Option<Clock>> = const { Cell::new(None) };
}

/// The latest time that any thread was at, in milliseconds.
static LATEST_MS: AtomicU64 = AtomicU64::new(0);
/// For how long the machine was suspended.
static SUSPENDED_S: AtomicU64 = AtomicU64::new(0);
/// How many bytes were read from the disk.
static FETCHED: AtomicU64 = AtomicU64::new(0);
/// How often a thread was made to wait.
static SWITCHES: AtomicU64 = AtomicU64::new(0);

impl Clock {
    /// Uses the clock of this thread.
    fn with<R>(use_it: impl FnOnce(&mut Clock) -> R) -> R {
        let latest = || Duration::from_millis(LATEST_MS.load(Ordering::SeqCst));
        let begin = || Clock { now: latest(), cpu: Duration::ZERO, stands: false, oversleep: Duration::ZERO };
        let mut clock = CLOCK.get().unwrap_or_else(begin);
        let result = use_it(&mut clock);
        LATEST_MS.fetch_max(clock.now.as_millis() as u64, Ordering::SeqCst);
        CLOCK.set(Some(clock));
        result
    }

    fn advance(&mut self, by: Duration) {
        if !self.stands {
            self.now += by;
        }
    }
}

impl Machine for FakeMachine {
    fn now(&self) -> Duration {
        Clock::with(|clock| {
            let now = clock.now;
            clock.advance(Duration::from_millis(1));
            now
        })
    }

    fn sleep(&self, duration: Duration) {
        Clock::with(|clock| {
            let oversleep = std::mem::take(&mut clock.oversleep);
            clock.advance(duration + oversleep);
        });
    }

    fn suspended(&self) -> Option<Duration> {
        Some(Duration::from_secs(SUSPENDED_S.load(Ordering::SeqCst)))
    }

    fn cpu_time(&self) -> Option<Duration> {
        Clock::with(|clock| {
            let cpu = clock.cpu;
            clock.cpu += Duration::from_millis(2);
            Some(cpu)
        })
    }

    fn peak_memory_bytes(&self) -> Option<u64> {
        Some(123 << 20)
    }

    /// `FAKE_CACHE=stays` is a machine that does not drop a file from its cache, `FAKE_CACHE=none` one that cannot be asked to.
    fn evict(&self, _folder: &Path) -> Result<(), String> {
        if std::env::var("FAKE_CACHE").is_ok_and(|cache| cache == "none") {
            return Err("the fake machine drops no files".to_owned());
        }
        Ok(())
    }

    fn fetched_bytes(&self) -> Option<u64> {
        let fetched = if std::env::var("FAKE_CACHE").is_ok_and(|cache| cache == "stays") { 0 } else { 1 << 20 };
        Some(FETCHED.fetch_add(fetched, Ordering::SeqCst))
    }

    /// `FAKE_UTC` is the time.
    fn utc(&self) -> String {
        std::env::var("FAKE_UTC").unwrap_or_else(|_| "2026-01-02T03:04:05Z".to_owned())
    }

    fn powercap(&self) -> PathBuf {
        std::env::var_os("FAKE_POWERCAP").map_or_else(|| PathBuf::from("/nowhere"), PathBuf::from)
    }

    /// With `FAKE_SWITCHES`, a thread was made to wait a thousand times more at every look.
    fn system_root(&self) -> PathBuf {
        let root = std::env::var_os("FAKE_SYSTEM").map_or_else(|| PathBuf::from("/nowhere"), PathBuf::from);
        if std::env::var_os("FAKE_SWITCHES").is_some() {
            let status = format!("nonvoluntary_ctxt_switches:\t{}\n", SWITCHES.fetch_add(1000, Ordering::SeqCst));
            let _ = std::fs::write(root.join("proc/self/task/1/status"), status);
        }
        root
    }

    fn peak(&self, threads: usize) -> Option<Peak> {
        Some(Peak { flops_per_s: 1e6 * threads as f64, bytes_per_s: 1e5 })
    }

    fn is_virtual(&self) -> bool {
        std::env::var_os("FAKE_VIRTUAL").is_some()
    }

    fn nvml_library(&self) -> PathBuf {
        std::env::var_os("FAKE_NVML").map_or_else(|| PathBuf::from("/nowhere/libnvidia-ml.so.1"), PathBuf::from)
    }

    /// `FAKE_CARDS` names devices and the addresses of their cards: `wgpu=0000:01:00.0,wgpu:1=0000:02:00.0`. `FAKE_DRIVER` is how the
    /// driver behaves when a card is opened.
    fn card(&self, device: Device) -> Result<Card, String> {
        match std::env::var("FAKE_DRIVER").as_deref() {
            Ok("prints") => println!("libEGL warning: not an answer"),
            Ok("hangs") => std::thread::sleep(Duration::MAX),
            Ok("aborts") => std::process::abort(),
            _ => {}
        }
        let cards = std::env::var("FAKE_CARDS").unwrap_or_default();
        let address = cards.split(',').find_map(|card| card.split_once('=').filter(|(name, _)| *name == device.name()));
        let (_, address) = address.ok_or("the fake machine has no such card: install one")?;
        Ok(Card {
            name: "Fake Card".to_owned(),
            driver: "fakedrv 1.2".to_owned(),
            target: "ptx_sm90".to_owned(),
            address: (!address.is_empty()).then(|| address.to_owned()),
            is_software: address.is_empty(),
        })
    }

    fn device_memory_bytes(&self, device: Device) -> Option<u64> {
        (device != Device::Cpu).then_some(77 << 20)
    }

    fn describe(&self) -> MachineInfo {
        fingerprinted(MachineInfo {
            fingerprint: String::new(),
            // A case that is sent to another machine is measured there.
            cpu: match (std::env::args().nth(1), std::env::var("FAKE_WORKER_CPU")) {
                (Some(command), Ok(cpu)) if command == "worker" => cpu,
                _ => "Fake 9000".to_owned(),
            },
            cpus: 2,
            memory_bytes: 8 << 30,
            os: "FakeOS 1".to_owned(),
            arch: "fake64".to_owned(),
        })
    }
}

static TASKS: &[&dyn Task] = &[&Parity, &Number];

/// Texts `0`, `1`, `2`, …: is the number odd? Two thirds of the rows are even.
struct Parity;
/// The same texts: which number is it?
struct Number;

const TRAIN: usize = 60;
const TEST: usize = 30;

fn numbers() -> impl Iterator<Item = usize> {
    (0..TRAIN + TEST).map(|row| if row % 3 == 0 { 2 * row + 1 } else { 2 * row })
}

fn splits(targets: impl Fn(&[usize]) -> Targets) -> Splits {
    let numbers: Vec<usize> = numbers().collect();
    let split = |numbers: &[usize]| Split {
        inputs: Inputs::Texts(numbers.iter().map(|n| Text { first: n.to_string(), second: None }).collect()),
        targets: targets(numbers),
    };
    Splits::new(split(&numbers[..TRAIN]), split(&numbers[TRAIN..]))
}

impl Task for Parity {
    fn name(&self) -> &'static str {
        "parity"
    }
    fn about(&self) -> &'static str {
        "whether a number is odd"
    }
    fn version(&self) -> u32 {
        1
    }
    fn primary(&self) -> &'static str {
        "accuracy"
    }
    fn unit(&self) -> &'static str {
        ""
    }
    fn input(&self) -> InputShape {
        InputShape::Texts { pairs: false }
    }
    fn classes(&self) -> Arc<[String]> {
        ["even", "odd"].map(str::to_owned).into()
    }
    fn rows(&self) -> usize {
        TRAIN
    }
    fn files(&self) -> &'static [DataFile] {
        &[]
    }
    fn load(&self, _store: &Store) -> Result<Splits, DatasetError> {
        let names = self.classes();
        Ok(splits(|numbers| Targets::Classes {
            labels: numbers.iter().map(|n| u16::from(n % 2 == 1)).collect(),
            names: Arc::clone(&names),
        }))
    }
}

impl Task for Number {
    fn name(&self) -> &'static str {
        "number"
    }
    fn about(&self) -> &'static str {
        "which number it is"
    }
    fn version(&self) -> u32 {
        1
    }
    fn primary(&self) -> &'static str {
        "mse"
    }
    fn unit(&self) -> &'static str {
        ""
    }
    fn input(&self) -> InputShape {
        InputShape::Texts { pairs: false }
    }
    fn classes(&self) -> Arc<[String]> {
        Arc::new([])
    }
    fn rows(&self) -> usize {
        TRAIN
    }
    fn files(&self) -> &'static [DataFile] {
        &[]
    }
    fn load(&self, _store: &Store) -> Result<Splits, DatasetError> {
        Ok(splits(|numbers| Targets::Values(numbers.iter().map(|n| *n as f32).collect())))
    }
}

static MODELS: &[&dyn ModelEntry] = &[
    &Fake { name: "nearly", about: "is right, but for every tenth", way: Way::Nearly },
    &Fake { name: "constant", about: "always gives the same answer", way: Way::Constant },
    &Fake { name: "classes-only", about: "does no regression", way: Way::ClassesOnly },
    &Fake { name: "panics", about: "panics in fit", way: Way::Panics },
    &Fake { name: "never-ends", about: "does not end its fit", way: Way::NeverEnds },
    &Fake { name: "eats-memory", about: "takes memory in steps without an end", way: Way::EatsMemory },
    &Fake { name: "wants-memory", about: "asks for more memory than there is, at once", way: Way::WantsMemory },
    &Fake { name: "nan-loss", about: "its loss becomes NaN", way: Way::NanLoss },
    &Fake { name: "nan-answer", about: "predicts NaN", way: Way::NanAnswer },
    &Fake { name: "too-few", about: "forgets the last prediction", way: Way::TooFew },
    &Fake { name: "is-killed", about: "is killed with SIGKILL in its fit", way: Way::IsKilled },
    &Fake { name: "fills-card", about: "panics as a library does whose card has no memory left", way: Way::FillsCard },
    &Fake { name: "loses-card", about: "fails while a thread of its library finds the card lost", way: Way::LosesCard },
    &Fake { name: "aborts", about: "is aborted by the library of its card, which it has lost", way: Way::Aborts },
    &Fake { name: "alone", about: "fails if two of it have one card, by files in $FAKE_LOCKS", way: Way::Alone },
    &Fake { name: "exits", about: "leaves the process in its fit", way: Way::Exits },
    &Fake { name: "tunable", about: "is the better, the closer its rate is to a tenth", way: Way::Tunable },
    &Fake { name: "one-step", about: "learns from validation rows too, without epochs", way: Way::OneStep },
    &Fake {
        name: "under-load",
        about: "takes virtual time, and has a fault of choice under load",
        way: Way::UnderLoad,
    },
    &Fake { name: "needs-file", about: "fails until the file that $FAKE_FILE names is there", way: Way::NeedsFile },
    &Fake { name: "saves-nothing", about: "cannot be saved", way: Way::SavesNothing },
    &Fake { name: "full-disk", about: "finds the disk full when it is saved", way: Way::FullDisk },
    &Fake { name: "saves-half", about: "saves a file that is cut short", way: Way::SavesHalf },
    &Fake { name: "saves-older", about: "saves what another version loads", way: Way::SavesOlder },
    &Fake { name: "forgets", about: "predicts otherwise after it was loaded", way: Way::Forgets },
    &Fake { name: "shortens", about: "leaves out a prediction after it was loaded", way: Way::Shortens },
    &Fake { name: "served-dies", about: "is killed with SIGKILL when it is served", way: Way::ServedDies },
    &Fake { name: "served-panics", about: "panics when it is served", way: Way::ServedPanics },
    &Fake { name: "served-hangs", about: "does not answer when it is served", way: Way::ServedHangs },
    &Fake { name: "served-eats", about: "takes memory without an end when it is served", way: Way::ServedEats },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Nearly,
    Constant,
    ClassesOnly,
    Panics,
    NeverEnds,
    EatsMemory,
    WantsMemory,
    NanLoss,
    NanAnswer,
    TooFew,
    IsKilled,
    FillsCard,
    LosesCard,
    Aborts,
    Alone,
    Exits,
    NeedsFile,
    Tunable,
    OneStep,
    UnderLoad,
    SavesNothing,
    FullDisk,
    SavesHalf,
    SavesOlder,
    Forgets,
    Shortens,
    ServedDies,
    ServedPanics,
    ServedHangs,
    ServedEats,
}

struct Fake {
    name: &'static str,
    about: &'static str,
    way: Way,
}

const PARAMS: &[Param] = &[
    Param {
        name: "epochs",
        images: DefaultValue::Int(2),
        texts: DefaultValue::Int(2),
        tables: DefaultValue::Int(2),
        domain: Domain::Int(1, 1000),
        about: "passes over the training rows",
        source: "made up",
        search: None,
    },
    Param {
        name: "pause_s",
        images: DefaultValue::Float(0.0),
        texts: DefaultValue::Float(0.0),
        tables: DefaultValue::Float(0.0),
        domain: Domain::Float(0.0, 3600.0),
        about: "real seconds that an epoch takes",
        source: "made up",
        search: None,
    },
    Param {
        name: "mood",
        images: DefaultValue::Word("calm"),
        texts: DefaultValue::Word("calm"),
        tables: DefaultValue::Word("calm"),
        domain: Domain::Word(&["calm", "cross"]),
        about: "changes nothing",
        source: "made up",
        search: None,
    },
];

/// The parameters of the model that a search makes better.
const TUNABLE: &[Param] = &[
    PARAMS[0],
    PARAMS[1],
    Param {
        name: "rate",
        images: DefaultValue::Float(1.0),
        texts: DefaultValue::Float(1.0),
        tables: DefaultValue::Float(1.0),
        domain: Domain::Float(1e-6, 1e6),
        about: "best at a tenth; diverges from 30 on",
        source: "made up",
        search: Some(Search::of_all(SearchDefault::Between(Scale::Log, 0.01, 100.0), "made up")),
    },
];

/// The parameters of the model that misbehaves under load.
const UNDER_LOAD: &[Param] = &[
    PARAMS[0],
    PARAMS[1],
    Param {
        name: "fault",
        images: DefaultValue::Word("none"),
        texts: DefaultValue::Word("none"),
        tables: DefaultValue::Word("none"),
        domain: Domain::Word(&[
            "none",
            "caches",
            "sleeps",
            "panics",
            "stale",
            "drops",
            "stops-clock",
            "suspends",
            "oversleeps",
            "starts-slowly",
            "hiccups",
        ]),
        about: "what it does wrong when it predicts single examples",
        source: "made up",
        search: None,
    },
    Param {
        name: "service_ms",
        images: DefaultValue::Float(5.0),
        texts: DefaultValue::Float(5.0),
        tables: DefaultValue::Float(5.0),
        domain: Domain::Float(0.0, 1e6),
        about: "virtual milliseconds that the prediction of an example takes",
        source: "made up",
        search: None,
    },
];

impl ModelEntry for Fake {
    fn name(&self) -> &'static str {
        self.name
    }
    fn about(&self) -> &'static str {
        self.about
    }
    fn version(&self, _device: Device) -> String {
        "1 (fake)".to_owned()
    }
    fn params(&self) -> &'static [Param] {
        match self.way {
            Way::Tunable => TUNABLE,
            Way::UnderLoad => UNDER_LOAD,
            _ => PARAMS,
        }
    }
    fn learns_from_validation(&self) -> bool {
        self.way == Way::OneStep
    }
    fn supports(&self, shape: &TaskShape, _params: &Resolved, _device: Device) -> Support {
        if self.way == Way::ClassesOnly && shape.target == TargetShape::Value {
            return Support::No { reason: "does no regression".to_owned() };
        }
        Support::Yes
    }
    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(FakeModel::new(self, spec.clone(), false)))
    }
    /// With `FAKE_LOADS`, the name of the model is appended to that file, so that a test sees the order of all loads.
    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        if let Some(log) = std::env::var_os("FAKE_LOADS") {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(log);
            let _ = file.and_then(|mut file| writeln!(file, "{}", self.name));
        }
        let path = folder.join(SAVED);
        let failed = |error: &dyn std::fmt::Display| ModelError::Artefact {
            path: path.clone(),
            what: format!("failed to read the saved model: {error}"),
        };
        let text = std::fs::read_to_string(&path).map_err(|error| failed(&error))?;
        let (name, shape, params, seed): (String, TaskShape, Resolved, u64) =
            serde_json::from_str(&text).map_err(|error| failed(&error))?;
        if name != self.name {
            return Err(failed(&format!("it holds {name}, expected {}", self.name)));
        }
        let spec = Spec { shape, params, device, threads, seed };
        Ok(Box::new(FakeModel::new(self, spec, true)))
    }
}

/// The one file of a saved fake: it learns nothing, so that it is what it was built from.
const SAVED: &str = "fake.json";

struct FakeModel {
    name: &'static str,
    way: Way,
    spec: Spec,
    /// Whether it was loaded, and not fitted.
    is_loaded: bool,
    /// How many single examples it has predicted.
    singles: usize,
    /// The examples that it has predicted.
    known: HashSet<usize>,
    /// The answer to the single example before.
    last_answer: usize,
}

/// A file that is there while a fit has a card.
struct CardLock(PathBuf);

impl CardLock {
    fn of(device: Device) -> Result<CardLock, ModelError> {
        let card = FakeMachine.card(device).ok().and_then(|card| card.address);
        let card = card.unwrap_or_else(|| format!("{}-{}", device.name(), std::process::id()));
        let path = PathBuf::from(std::env::var_os("FAKE_LOCKS").unwrap_or_default()).join(card.replace(':', "-"));
        std::fs::File::create_new(&path)
            .map(|_| CardLock(path))
            .map_err(|error| ModelError::Failed(format!("the card is used by two cases: {error}")))
    }
}

impl Drop for CardLock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn eat_memory() -> ! {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(vec![1; 32 << 20]);
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn be_killed() {
    let pid = std::process::id().to_string();
    let _ = std::process::Command::new("kill").args(["-9", &pid]).status();
    std::thread::sleep(Duration::MAX);
}

impl FakeModel {
    fn new(entry: &Fake, spec: Spec, is_loaded: bool) -> FakeModel {
        FakeModel {
            name: entry.name,
            way: entry.way,
            spec,
            is_loaded,
            singles: 0,
            known: HashSet::new(),
            last_answer: 0,
        }
    }

    /// Takes the virtual time of a prediction, and does wrong what the parameter `fault` says. Changes `answers` if that is the fault.
    /// `FAKE_SLOWER` is a factor of the time.
    fn take_time(&mut self, numbers: &[usize], answers: &mut Vec<usize>) {
        const MANY: usize = 70;
        let slower = std::env::var("FAKE_SLOWER").ok().and_then(|factor| factor.parse::<f64>().ok()).unwrap_or(1.0);
        let mut service = Duration::from_secs_f64(slower * self.spec.params.float("service_ms") / 1e3);
        let fault = self.spec.params.word("fault");
        let new = numbers.iter().filter(|number| self.known.insert(**number)).count();
        if numbers.len() != 1 {
            return Clock::with(|clock| clock.advance(service * numbers.len() as u32));
        }
        self.singles += 1;
        let answer = std::mem::replace(&mut self.last_answer, answers[0]);
        match fault {
            "caches" => service *= new as u32,
            "sleeps" => service += Duration::from_secs(1),
            // The first prediction of the process, and thirty after it.
            "starts-slowly" if self.singles <= 31 => service *= 10,
            "hiccups" if self.singles.is_multiple_of(50) => service *= 10,
            "stale" => answers[0] = answer,
            "drops" if self.singles > MANY => answers.clear(),
            "panics" if self.singles > MANY => panic!("this model panics under load"),
            "stops-clock" if self.singles > MANY => Clock::with(|clock| clock.stands = true),
            "suspends" if self.singles == MANY => drop(SUSPENDED_S.fetch_add(3600, Ordering::SeqCst)),
            // Single-stream never sleeps, so the scenario server does.
            "oversleeps" if self.singles >= MANY => Clock::with(|clock| clock.oversleep = Duration::from_secs(3600)),
            _ => {}
        }
        Clock::with(|clock| clock.advance(service));
    }

    /// What the fault of this model is when it predicts after it was loaded.
    fn misbehave_served(&self) {
        match self.way {
            Way::ServedDies => be_killed(),
            Way::ServedPanics => panic!("this model panics on purpose when it is served"),
            Way::ServedHangs => std::thread::sleep(Duration::MAX),
            Way::ServedEats => eat_memory(),
            _ => {}
        }
    }

    /// What the fault of this model is, in its fit.
    fn misbehave(&self) -> Result<(), ModelError> {
        match self.way {
            Way::Panics => panic!("this model panics on purpose"),
            Way::NeverEnds => std::thread::sleep(Duration::MAX),
            Way::EatsMemory => eat_memory(),
            Way::WantsMemory => drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 60))),
            Way::IsKilled => be_killed(),
            Way::FillsCard => panic!("wgpu error: Out of Memory\n\nBacktrace\n 0: main"),
            Way::LosesCard => {
                let panicked = std::thread::spawn(|| panic!("Parent device is lost")).join();
                return panicked.map_err(|_| ModelError::Failed("the channel to the server is closed".to_owned()));
            }
            Way::Aborts => {
                eprintln!("VK_ERROR_DEVICE_LOST");
                std::process::abort();
            }
            Way::Exits => {
                eprintln!("goodbye");
                std::process::exit(7);
            }
            Way::NeedsFile => {
                let path = std::env::var("FAKE_FILE").unwrap_or_default();
                if !std::path::Path::new(&path).exists() {
                    return Err(ModelError::Failed(format!("there is no file '{path}'")));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn answer(&self, number: usize) -> usize {
        match self.way {
            Way::Constant => 0,
            Way::Forgets if self.is_loaded && number > 140 => number + 1,
            Way::Tunable => {
                let decades_off = (self.spec.params.float("rate").log10() + 1.0).abs();
                // Spread over the numbers, so that each share of wrong answers is another one.
                let is_wrong = (number * 37 % 100) as f64 <= 25.0 * decades_off - 1.0;
                number + usize::from(is_wrong)
            }
            _ if number % 10 == 9 => number + 1,
            _ => number,
        }
    }
}

/// The number that a text is, or that the first pixel of an image is.
fn number(inputs: &Inputs, row: usize) -> usize {
    match inputs {
        Inputs::Texts(texts) => texts[row].first.parse().unwrap_or(0),
        Inputs::Images(images) => usize::from(images.image(row)[0]),
        Inputs::Table(table) => table.numbers_of(row).first().map_or(0, |number| *number as usize),
    }
}

impl Model for FakeModel {
    fn fit(&mut self, _train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        self.misbehave()?;
        let _lock = if self.way == Way::Alone { Some(CardLock::of(self.spec.device)?) } else { None };
        if self.way == Way::OneStep {
            watch.progress(1, 1);
            return Ok(());
        }
        let epochs = self.spec.params.int("epochs");
        // The state of such a fit is the number of epochs done.
        let done = watch.interrupted().map_or(Ok(0), |state| {
            let text = String::from_utf8_lossy(&state);
            text.parse()
                .map_err(|_| ModelError::State(format!("the state of the fit: '{text}' is no number of epochs")))
        })?;
        for epoch in done + 1..=epochs {
            std::thread::sleep(Duration::from_secs_f64(self.spec.params.float("pause_s")));
            let diverges = match self.way {
                Way::NanLoss => epoch == epochs,
                Way::Tunable => self.spec.params.float("rate") >= 30.0,
                _ => false,
            };
            let train_loss = if diverges { f64::NAN } else { 1.0 / epoch as f64 };
            let predictions = self.predict(&validation.inputs)?;
            watch.epoch(&EpochReport { epoch, epochs, train_loss, validation: &predictions })?;
            watch.checkpoint(&|| Ok(epoch.to_string().into_bytes()))?;
        }
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        if self.is_loaded {
            self.misbehave_served();
        }
        let is_short = match self.way {
            Way::TooFew => true,
            Way::Shortens => self.is_loaded && inputs.len() > 1,
            _ => false,
        };
        let count = inputs.len() - usize::from(is_short);
        let numbers: Vec<usize> = (0..count).map(|row| number(inputs, row)).collect();
        let mut answers: Vec<usize> = numbers.iter().map(|number| self.answer(*number)).collect();
        if self.way == Way::UnderLoad {
            self.take_time(&numbers, &mut answers);
        }
        Ok(match self.spec.shape.target {
            TargetShape::Value => {
                let nan = |answer: usize| if self.way == Way::NanAnswer { f32::NAN } else { answer as f32 };
                Predictions::Values(answers.into_iter().map(nan).collect())
            }
            TargetShape::Classes(classes) => {
                let labels: Vec<u16> = answers.iter().map(|answer| u16::from(answer % 2 == 1)).collect();
                let given = if self.way == Way::NanAnswer { f32::NAN } else { 0.75 };
                let rest = 0.25 / classes.saturating_sub(1).max(1) as f32;
                let data = labels
                    .iter()
                    .flat_map(|label| (0..classes).map(move |c| if c == usize::from(*label) { given } else { rest }))
                    .collect();
                let probabilities = Some(Matrix { rows: labels.len(), cols: classes, data });
                Predictions::Classes { labels, probabilities }
            }
        })
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        let failed = |error: &dyn std::fmt::Display| ModelError::Artefact {
            path: folder.to_owned(),
            what: format!("failed to save the model: {error}"),
        };
        let name = match self.way {
            Way::SavesNothing => return Err(ModelError::Unsupported("it cannot be saved on purpose".to_owned())),
            Way::FullDisk => return Err(failed(&"No space left on device")),
            Way::SavesOlder => "saves-older 0",
            _ => self.name,
        };
        let spec = (name, self.spec.shape, &self.spec.params, self.spec.seed);
        let mut text = serde_json::to_string(&spec).map_err(|error| failed(&error))?;
        if self.way == Way::SavesHalf {
            text.truncate(text.len() / 2);
        }
        std::fs::create_dir(folder).map_err(|error| failed(&error))?;
        std::fs::write(folder.join(SAVED), text).map_err(|error| failed(&error))
    }

    fn footprint(&self) -> Footprint {
        Footprint { parameters: 3, flops_per_example: (self.way == Way::Nearly).then_some(12), weight_bytes: Some(24) }
    }
}

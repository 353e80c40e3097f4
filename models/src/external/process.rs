//! A program of the user's that is running, and what is said to it and by it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::marked::{MARK, end_marked, new_mark};
use super::message::{self, Answer, Block, Hello, Message, PROTOCOL, Request, Unread};
use crate::model::ModelError;

/// How long a program may take to end after `bye`, and how long its last words may take after its end.
const MAX_BYE: Duration = Duration::from_secs(2);
/// The time between two looks at whether a program has ended.
const CHECK_INTERVAL: Duration = Duration::from_millis(2);
/// The lines of a program's standard error that are kept, to explain why it ended.
const LOG_LINES_KEPT: usize = 5;
/// A message of at most this size fits into a pipe, so sending it does not block.
const PIPE_BYTES: usize = 32 << 10;
/// The variables by which libraries of numbers learn how many threads they may start.
const THREAD_VARIABLES: [&str; 6] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
];

/// A program that has been started. It is ended when the value is dropped.
#[derive(Debug)]
pub(super) struct Process {
    /// What the suite calls the model, for messages.
    name: String,
    child: Child,
    /// By which its processes are found.
    mark: String,
    /// `None` once the program must not be spoken to any more.
    to: Option<ChildStdin>,
    /// `None` while another thread reads it.
    from: Option<BufReader<ChildStdout>>,
    log: Log,
    /// Why the program cannot be used any more.
    fault: Option<ModelError>,
    /// Whether it was ended. Its number may belong to another process by now.
    has_ended: bool,
}

impl Process {
    /// Starts a program in `folder`, and gives what it says of itself. In a group of its own, it does not get the Ctrl-C of the terminal: that is
    /// for a process which is sure to end its programs itself.
    pub(super) fn start(
        name: &str,
        (command, folder): (&[String], &Path),
        threads: usize,
        start_s: f64,
        own_group: bool,
    ) -> Result<(Process, Hello), ModelError> {
        let failed = |what: String| ModelError::Failed(format!("the program of model '{name}' {what}"));
        let (program, arguments) = command.split_first().ok_or_else(|| failed("has no name".to_owned()))?;
        let mark = new_mark();
        // Systems do not agree on the folder at which a relative path starts.
        let place = if program.contains('/') { folder.join(program) } else { PathBuf::from(program) };
        let mut starting = Command::new(place);
        starting
            .args(arguments)
            .current_dir(folder)
            .envs(THREAD_VARIABLES.map(|variable| (variable, threads.to_string())))
            .env(MARK, &mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        if own_group {
            std::os::unix::process::CommandExt::process_group(&mut starting, 0);
        }
        let mut child = starting.spawn().map_err(|error| failed(not_started(program, &error)))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(to), Some(from), Some(stderr)) = pipes else { unreachable!("all three are piped") };
        let (from, log) = (Some(BufReader::new(from)), Log::of(stderr));
        let mut process =
            Process { name: name.to_owned(), child, mark, to: Some(to), from, log, fault: None, has_ended: false };
        let hello = process.hello(start_s)?;
        Ok((process, hello))
    }

    /// Asks the program what it is.
    fn hello(&mut self, most_s: f64) -> Result<Hello, ModelError> {
        self.tell(&Request::Hello { protocol: PROTOCOL });
        // It may hang, and a process that it has left behind may keep its output open. So another thread waits, and ends when both have.
        let Some(mut from) = self.from.take() else { return Err(self.why()) };
        let (sends, receives) = mpsc::channel();
        let waits = move || {
            let read = message::read_line(&mut from);
            // Nobody waits for it any more if it is late.
            let _ = sends.send((read, from));
        };
        thread::Builder::new()
            .spawn(waits)
            .map_err(|error| self.failed(format!("cannot be listened to: the system starts no thread ({error})")))?;
        let Ok((read, from)) = receives.recv_timeout(Duration::from_secs_f64(most_s)) else {
            let words = self.log.words_so_far();
            return Err(self.failed(format!(
                "did not answer to hello within {most_s} s{words}; start_s in the suite gives it more time"
            )));
        };
        self.from = Some(from);
        match self.answered(read)? {
            (Answer::Hello(hello), _) if hello.protocol == PROTOCOL => {
                Ok(Hello { name: one_line(&hello.name), version: one_line(&hello.version), ..hello })
            }
            (Answer::Hello(Hello { protocol, .. }), _) => Err(self.failed(format!(
                "speaks version {protocol} of the protocol, and this bakeoff speaks version {PROTOCOL}: see docs/protocol.md"
            ))),
            (answer, _) => Err(self.unexpected(&answer, "hello", "'hello'")),
        }
    }

    /// Sends a request and reads the answer, whose blocks the caller reads by [`Process::read`].
    pub(super) fn ask(&mut self, request: &Request<'_>, message: Message) -> Result<(Answer, Vec<Block>), ModelError> {
        let bytes = message.bytes(request);
        let Process { child, mark, to: Some(to), from: Some(from), fault: None, .. } = self else {
            return Err(self.why());
        };
        let read = if bytes.len() <= PIPE_BYTES {
            // If the program does not read, it has ended, and then it does not answer either.
            let _ = message::send(to, &bytes);
            message::read_line(from)
        } else {
            send_and_read((to, &bytes), from, || {
                end_group(child.id());
                end_marked(mark);
            })
        };
        self.answered(read)
    }

    /// Reads the next message of a program that sends several.
    pub(super) fn next(&mut self) -> Result<(Answer, Vec<Block>), ModelError> {
        let Process { from: Some(from), fault: None, .. } = self else { return Err(self.why()) };
        let read = message::read_line(from);
        self.answered(read)
    }

    fn answered(&mut self, read: Result<(Answer, Vec<Block>), Unread>) -> Result<(Answer, Vec<Block>), ModelError> {
        match read.map_err(|unread| self.unread(unread))? {
            (Answer::Error { message }, _) => Err(self.failed(format!("says: {}", one_line(&message)))),
            answered => Ok(answered),
        }
    }

    /// Sends a message that the program answers to by its next one.
    pub(super) fn tell(&mut self, request: &Request<'_>) {
        if let Some(to) = &mut self.to {
            // If the program does not read, it has ended, and the next read says so.
            let _ = message::send(to, &Message::new().bytes(request));
        }
    }

    /// Reads the bytes of a block.
    pub(super) fn read(&mut self, bytes: usize) -> Result<Vec<u8>, ModelError> {
        let Process { from: Some(from), fault: None, .. } = self else { return Err(self.why()) };
        let mut body = vec![0; bytes];
        match from.read_exact(&mut body) {
            Ok(()) => Ok(body),
            Err(_) => Err(self.unread(Unread::Closed)),
        }
    }

    /// An answer that does not fit the request.
    pub(super) fn unexpected(&mut self, answer: &Answer, request: &str, expected: &str) -> ModelError {
        self.failed(format!("answered '{}' to '{request}', expected {expected}", answer.name()))
    }

    /// The program did something that it must not do, after which it is not used any more.
    pub(super) fn failed(&mut self, what: impl Into<String>) -> ModelError {
        let what = one_line(&what.into());
        let error = ModelError::Failed(format!("the program of model '{}' {what}", self.name));
        self.fault.get_or_insert_with(|| error.clone());
        self.end();
        error
    }

    fn unread(&mut self, unread: Unread) -> ModelError {
        match unread {
            Unread::Wrong(what) => self.failed(format!("broke the protocol: {what}")),
            Unread::Closed => {
                let how = match self.wait(MAX_BYE) {
                    Some(status) => format!("ended ({})", described(status)),
                    None => "closed its standard output".to_owned(),
                };
                let words = self.log.last_words();
                self.failed(format!("{how}{words}"))
            }
        }
    }

    /// Why the program cannot be used any more.
    fn why(&self) -> ModelError {
        let ended = || ModelError::Failed(format!("the program of model '{}' has ended", self.name));
        self.fault.clone().unwrap_or_else(ended)
    }

    /// The status of a program that ends within this time.
    fn wait(&mut self, most: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if begun.elapsed() < most => thread::sleep(CHECK_INTERVAL),
                _ => return None,
            }
        }
    }

    /// Ends the program at once, and what it has started.
    fn end(&mut self) {
        self.to = None;
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        // If its status is known, its number may belong to another process.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            end_group(self.child.id());
            // It has been killed, so this does not wait for long.
            let _ = self.child.wait();
        }
        end_marked(&self.mark);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.tell(&Request::Bye);
        self.to = None;
        // A program that has started others may have ended before them.
        self.wait(MAX_BYE);
        self.end();
    }
}

/// Ends all processes of the group that begins with this one. They may have ended by themselves.
fn end_group(id: u32) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = id;
}

/// Sends a message that does not fit into a pipe, and reads the answer meanwhile: a program that prints before it reads would otherwise wait
/// for us, and we for it.
fn send_and_read(
    (to, bytes): (&mut ChildStdin, &[u8]),
    from: &mut BufReader<ChildStdout>,
    end: impl Fn(),
) -> Result<(Answer, Vec<Block>), Unread> {
    let (sends, sent) = mpsc::channel();
    let send = move || {
        // If the program does not read, it has ended, and then it does not answer either.
        let _ = message::send(to, bytes);
        drop::<Sender<()>>(sends);
    };
    thread::scope(|scope| {
        if let Err(error) = thread::Builder::new().spawn_scoped(scope, send) {
            return Err(Unread::Wrong(format!(
                "it could not be spoken to, because the system starts no thread ({error})"
            )));
        }
        let read = message::read_line(from);
        // A program that has ended, or says that it cannot go on, does not read the rest.
        let is_sent = !matches!(sent.recv_timeout(MAX_BYE), Err(RecvTimeoutError::Timeout));
        if !is_sent {
            end();
            if !matches!(read, Err(_) | Ok((Answer::Error { .. }, _))) {
                return Err(Unread::Wrong("it answered before it had read the whole message".to_owned()));
            }
        }
        read
    })
}

/// The last lines of a program's standard error.
#[derive(Debug)]
struct Log {
    lines: Arc<Mutex<VecDeque<String>>>,
    /// Disconnected when the program has closed its standard error.
    over: Receiver<()>,
}

impl Log {
    fn of(stderr: ChildStderr) -> Log {
        let (ends, over) = mpsc::channel();
        let lines = Arc::new(Mutex::new(VecDeque::with_capacity(LOG_LINES_KEPT)));
        let kept = Arc::clone(&lines);
        let listen = move || {
            keep_last(stderr, &kept);
            drop::<Sender<()>>(ends);
        };
        // If the system starts no thread, the program has no last words.
        let _ = thread::Builder::new().spawn(listen);
        Log { lines, over }
    }

    /// `; its last words: …` of a program that has ended, or nothing if it has said nothing.
    fn last_words(&self) -> String {
        // A process that it started may keep its standard error open.
        let _ = self.over.recv_timeout(MAX_BYE);
        self.words_so_far()
    }

    /// The same of a program that may go on.
    fn words_so_far(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !line.is_empty()).collect();
        if words.is_empty() { String::new() } else { format!("; its last words: {}", words.join(" / ")) }
    }
}

/// Keeps the last lines of a log. A line without an end does not fill the memory.
fn keep_last(log: impl Read, kept: &Mutex<VecDeque<String>>) {
    let mut reader = BufReader::new(log);
    let mut line = Vec::new();
    while matches!(reader.by_ref().take(4096).read_until(b'\n', &mut line), Ok(1..)) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == LOG_LINES_KEPT {
            kept.pop_front();
        }
        kept.push_back(one_line(&String::from_utf8_lossy(&line)));
        line.clear();
    }
}

/// The text on one line of bounded length, without control characters.
pub(super) fn one_line(text: &str) -> String {
    const MAX_CHARACTERS: usize = 2000;
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// `cannot be started: …`, with what to do.
fn not_started(program: &str, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound if program.contains('/') => format!("cannot be started: there is no file {program}"),
        ErrorKind::NotFound => {
            format!("cannot be started: there is no program '{program}' in PATH; install it, or give its path")
        }
        ErrorKind::PermissionDenied => {
            format!("cannot be started: {program} is not executable; make it so with `chmod +x {program}`")
        }
        _ => format!("cannot be started: {program}: {error}"),
    }
}

fn described(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("killed by signal {signal}");
    }
    status.to_string()
}

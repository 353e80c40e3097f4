//! A web server for the tests: it answers as it is told and remembers what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What was asked: path and the first byte of the range, if one was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) from: Option<usize>,
}

/// How to answer.
pub(crate) enum Answer {
    /// This status with this body.
    Status(u16, &'static str),
    /// The file, or the asked part of it.
    File(Vec<u8>),
    /// The whole file, whatever part was asked.
    WholeFile(Vec<u8>),
    /// As `File`, but the connection closes after this many bytes.
    CutOff(Vec<u8>, usize),
    /// As `CutOff`, but the connection is torn down in place of being closed.
    Reset(Vec<u8>, usize),
    /// As `File`, but an answer with a range has no more than this many bytes.
    Piece(Vec<u8>, usize),
    /// As `File`, but each byte comes after this time.
    Trickle(Vec<u8>, Duration),
    /// As `File`, but after this many bytes nothing comes, for longer than anybody waits.
    Stall(Vec<u8>, usize),
    /// Nothing, for longer than anybody waits.
    Silence,
}

pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers requests by `answer`, which is told how many came before.
    pub(crate) fn new(answer: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let answer = Arc::new(answer);
        // The thread ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || {
                    let Some(request) = read_request(&stream) else { return };
                    let before = {
                        let mut log = log.lock().unwrap();
                        log.push(request.clone());
                        log.len() - 1
                    };
                    // A client that has left is part of some tests.
                    let _ = write_answer(&stream, &request, answer(before, &request));
                });
            }
        });
        Server { url, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let range = lines.find_map(|line| Some(line.to_lowercase().strip_prefix("range: bytes=")?.to_owned()));
    Some(Asked { path, from: range.and_then(|range| range.trim_end_matches('-').parse().ok()) })
}

fn write_answer(mut stream: &TcpStream, request: &Asked, answer: Answer) -> std::io::Result<()> {
    let (file, most) = match &answer {
        Answer::Silence => {
            thread::sleep(Duration::from_secs(20));
            return Ok(());
        }
        Answer::Status(code, body) => {
            return write!(
                stream,
                "HTTP/1.1 {code} Said\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
        Answer::WholeFile(file) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", file.len())?;
            return stream.write_all(file);
        }
        Answer::Piece(file, most) if request.from.is_some() => (file, *most),
        Answer::File(file)
        | Answer::Piece(file, _)
        | Answer::CutOff(file, _)
        | Answer::Reset(file, _)
        | Answer::Trickle(file, _)
        | Answer::Stall(file, _) => (file, file.len()),
    };
    let total = file.len();
    let from = request.from.unwrap_or(0);
    if from >= total {
        return write!(
            stream,
            "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let to = total.min(from.saturating_add(most));
    let asked = &file[from..to];
    match request.from {
        None => write!(stream, "HTTP/1.1 200 OK\r\n")?,
        Some(_) => write!(stream, "HTTP/1.1 206 Partial\r\nContent-Range: bytes {from}-{}/{total}\r\n", to - 1)?,
    }
    write!(stream, "Content-Length: {}\r\nConnection: close\r\n\r\n", asked.len())?;
    let first = |bytes: usize| &asked[..bytes.min(asked.len())];
    match answer {
        Answer::CutOff(_, sent) => stream.write_all(first(sent)),
        Answer::Reset(_, sent) => {
            stream.write_all(first(sent))?;
            // Time for the client to read what came, then nothing is said but that it is over.
            thread::sleep(Duration::from_millis(100));
            Ok(rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?)
        }
        Answer::Stall(_, sent) => {
            stream.write_all(first(sent))?;
            thread::sleep(Duration::from_secs(20));
            Ok(())
        }
        Answer::Trickle(_, pause) => asked.iter().try_for_each(|byte| {
            thread::sleep(pause);
            stream.write_all(&[*byte])
        }),
        _ => stream.write_all(asked),
    }
}

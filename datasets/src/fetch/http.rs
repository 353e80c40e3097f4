//! Downloads one file, resuming where an earlier attempt was cut off.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body};

use super::error::Fault;
use super::proxy::Named;

/// The longest time of one whole answer, in multiples of `read_timeout`. Without it, a server that sends a byte now and
/// then would never reach a time-out. A server that is merely slow is asked again for the rest.
const MAX_READS_PER_ANSWER: u32 = 60;

/// An agent that waits `read_timeout` for an answer or the next bytes.
pub(crate) fn agent(read_timeout: Duration) -> Agent {
    Agent::config_builder()
        .user_agent(concat!("bakeoff/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .proxy(None)
        .timeout_connect(Some(read_timeout))
        .timeout_recv_response(Some(read_timeout))
        .timeout_per_read(Some(read_timeout))
        .timeout_recv_body(Some(read_timeout * MAX_READS_PER_ANSWER))
        .build()
        .new_agent()
}

/// Makes one request for the part of the file at `url` that `path` lacks, and appends it. The request goes through
/// `proxy` if there is one. `tell` is called with the number of bytes that are there, and with the total if the server
/// states it. If the download is cut off, `path` keeps what arrived.
pub(crate) fn download(
    agent: &Agent,
    proxy: Option<&Named>,
    url: &str,
    path: &Path,
    max_bytes: u64,
    tell: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), Fault> {
    let have = size(path);
    let mut request = agent.get(url).config().proxy(proxy.map(|named| named.proxy.clone())).build();
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = request.call().map_err(|error| {
        let reason = reason(&error);
        // The proxy may be at fault.
        Fault::CutOff(match proxy.filter(|named| named.is_for(url)) {
            Some(named) => format!("{reason} (through {named})"),
            None => reason,
        })
    })?;
    match (response.status().as_u16(), range(&response)) {
        (200, _) => store(response, path, 0, None, max_bytes, tell),
        (206, Some((start, total))) if start == have => store(response, path, have, total, max_bytes, tell),
        // The file is complete: the program was stopped after the download and before its use.
        (416, Some((_, total))) if total == Some(have) => Ok(()),
        (206 | 416, _) => Err(Fault::Bad("the server does not have the rest of what was downloaded before".to_owned())),
        (404 | 410, _) => Err(Fault::Absent),
        (code, _) => Err(Fault::CutOff(format!("the server answered HTTP {code}"))),
    }
}

/// The size of the file at `path`; 0 if there is none.
pub(crate) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The first byte and the total length, from `bytes 100-199/1000` or `bytes */1000`.
fn range(response: &Response<Body>) -> Option<(u64, Option<u64>)> {
    let text = response.headers().get("content-range")?.to_str().ok()?;
    let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let start = span.split('-').next()?.parse().unwrap_or(u64::MAX);
    Some((start, total.parse().ok()))
}

/// Writes the body after the first `have` bytes of `path`. The whole file has `total` bytes if that is known. Otherwise
/// the length of the body decides, because a server may answer with less than was requested.
fn store(
    response: Response<Body>,
    path: &Path,
    have: u64,
    total: Option<u64>,
    max_bytes: u64,
    tell: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), Fault> {
    let too_large = || Fault::Bad(format!("more than the {max_bytes} bytes that it can have"));
    let total = total.or_else(|| response.body().content_length().map(|rest| have + rest));
    if total.is_some_and(|total| total > max_bytes) {
        return Err(too_large());
    }
    let mut file: Option<File> = None;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut done = have;
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Fault::CutOff(format!("cut off after {done} bytes ({error})"))),
        };
        // Checked before anything is overwritten, because what arrived earlier, over another network, is still useful.
        if file.is_none() && is_web_page(&buffer[..count]) {
            return Err(Fault::CutOff(
                "a web page came in place of the file: perhaps this network wants you to log in first".to_owned(),
            ));
        }
        done += count as u64;
        if done > max_bytes {
            return Err(too_large());
        }
        if file.is_none() {
            file = Some(open(path, have).map_err(Fault::write(path))?);
        }
        let written = file.as_mut().map_or(Ok(()), |file| file.write_all(&buffer[..count]));
        written.map_err(Fault::write(path))?;
        tell(done, total);
    }
    if file.is_none() {
        open(path, have).map_err(Fault::write(path))?;
    }
    match total {
        Some(total) if done < total => Err(Fault::CutOff(format!("cut off after {done} of {total} bytes"))),
        _ => Ok(()),
    }
}

/// Opens the file to append to its first `have` bytes, or creates it.
fn open(path: &Path, have: u64) -> io::Result<File> {
    if have > 0 { OpenOptions::new().append(true).open(path) } else { File::create(path) }
}

fn is_web_page(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|text| text.eq_ignore_ascii_case(with));
    begins(b"<!doctype html") || begins(b"<html") || begins(b"<?xml") || begins(b"<!--")
}

const HOST_NOT_FOUND: &str = "its host was not found: is there a network?";

/// ureq's reason, shortened where it is long.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => HOST_NOT_FOUND.to_owned(),
        // The standard library has no error kind for an unknown host.
        ureq::Error::Io(error) if error.to_string().starts_with("failed to lookup address") => {
            HOST_NOT_FOUND.to_owned()
        }
        ureq::Error::ConnectionFailed => "no connection: is there a network?".to_owned(),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "the connection was refused".to_owned()
        }
        other => other.to_string(),
    }
}

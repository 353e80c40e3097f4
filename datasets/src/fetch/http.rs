//! One file from an address to a file on disk, going on where an earlier attempt was cut off.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body};

use super::error::Fault;
use super::proxy::Named;

/// Patiences that one answer may take in all: a server that sends a byte now and then never tires them one by one. Who
/// is only slow is asked again for the rest.
const MOST_PATIENCES: u32 = 60;

/// An agent that waits `patience` for an answer or the next bytes.
pub(crate) fn agent(patience: Duration) -> Agent {
    Agent::config_builder()
        .user_agent(concat!("bakeoff/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .proxy(None)
        .timeout_connect(Some(patience))
        .timeout_recv_response(Some(patience))
        .timeout_per_read(Some(patience))
        .timeout_recv_body(Some(patience * MOST_PATIENCES))
        .build()
        .new_agent()
}

/// Asks once for what the file at `url` has more than is at `path`, through `proxy` if there is one, and adds it. `tell`
/// hears how many bytes are there, and of how many if the server says. If it is cut off, what came is left at `path`.
pub(crate) fn download(
    agent: &Agent,
    proxy: Option<&Named>,
    url: &str,
    path: &Path,
    most_bytes: u64,
    tell: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), Fault> {
    let have = size(path);
    let mut request = agent.get(url).config().proxy(proxy.map(|named| named.proxy.clone())).build();
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = request.call().map_err(|error| {
        let reason = reason(&error);
        // It may be the proxy that is to blame.
        Fault::CutOff(match proxy.filter(|named| named.is_for(url)) {
            Some(named) => format!("{reason} (through {named})"),
            None => reason,
        })
    })?;
    match (response.status().as_u16(), range(&response)) {
        (200, _) => store(response, path, 0, None, most_bytes, tell),
        (206, Some((start, total))) if start == have => store(response, path, have, total, most_bytes, tell),
        // All of it is there already: the program was stopped between the download and its use.
        (416, Some((_, total))) if total == Some(have) => Ok(()),
        (206 | 416, _) => Err(Fault::Bad("the server does not have the rest of what was downloaded before".to_owned())),
        (404 | 410, _) => Err(Fault::Absent),
        (code, _) => Err(Fault::CutOff(format!("the server answered HTTP {code}"))),
    }
}

/// Bytes at `path`; none if nothing is there.
pub(crate) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// First byte and length of the whole, out of `bytes 100-199/1000` or `bytes */1000`.
fn range(response: &Response<Body>) -> Option<(u64, Option<u64>)> {
    let text = response.headers().get("content-range")?.to_str().ok()?;
    let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let start = span.split('-').next()?.parse().unwrap_or(u64::MAX);
    Some((start, total.parse().ok()))
}

/// Writes the body behind the first `have` bytes of `path`. The whole has `total` bytes if known, else as many as the
/// body makes it: a server may answer with less than was asked.
fn store(
    response: Response<Body>,
    path: &Path,
    have: u64,
    total: Option<u64>,
    most_bytes: u64,
    tell: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), Fault> {
    let too_large = || Fault::Bad(format!("more than the {most_bytes} bytes that it can have"));
    let total = total.or_else(|| response.body().content_length().map(|rest| have + rest));
    if total.is_some_and(|total| total > most_bytes) {
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
        // Before anything is overwritten: what came earlier, on another network, is still of use.
        if file.is_none() && is_web_page(&buffer[..count]) {
            return Err(Fault::CutOff(
                "a web page came in place of the file: perhaps this network wants you to log in first".to_owned(),
            ));
        }
        done += count as u64;
        if done > most_bytes {
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

/// For writing behind the first `have` bytes, or anew.
fn open(path: &Path, have: u64) -> io::Result<File> {
    if have > 0 { OpenOptions::new().append(true).open(path) } else { File::create(path) }
}

fn is_web_page(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|text| text.eq_ignore_ascii_case(with));
    begins(b"<!doctype html") || begins(b"<html") || begins(b"<?xml") || begins(b"<!--")
}

const HOST_NOT_FOUND: &str = "its host was not found: is there a network?";

/// What ureq says, in fewer words where it has many.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => HOST_NOT_FOUND.to_owned(),
        // The standard library has no kind for it.
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

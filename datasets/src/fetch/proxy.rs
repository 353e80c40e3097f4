//! The proxy for an address, from the environment variables that curl reads.
//!
//! ureq reads them too, but uses the first one for every address and ignores those that it cannot use.

use std::ffi::OsString;
use std::fmt;

use ureq::http::Uri;
use ureq::{Proxy, ProxyProtocol};

use super::error::FetchError;

/// A proxy, and the variable that names it.
pub(crate) struct Named {
    pub(crate) proxy: Proxy,
    variable: &'static str,
}

impl Named {
    /// Whether `url` goes through it.
    pub(crate) fn is_for(&self, url: &str) -> bool {
        url.parse::<Uri>().is_ok_and(|uri| !self.proxy.is_no_proxy(&uri))
    }
}

/// Leaves out the user name and password.
impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {}:{} of {}", self.proxy.host(), self.proxy.port(), self.variable)
    }
}

/// The proxy for addresses of `url`'s scheme, with the hosts that are exempt from it. `variable` looks up an
/// environment variable.
pub(crate) fn of(url: &str, variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<Named>, FetchError> {
    let set = |name: &'static str| {
        let value = variable(name)?.to_string_lossy().trim().to_owned();
        (!value.is_empty()).then_some((name, value))
    };
    let own = if url.starts_with("https:") { ["https_proxy", "HTTPS_PROXY"] } else { ["http_proxy", "HTTP_PROXY"] };
    let Some((variable, value)) = own.into_iter().chain(["all_proxy", "ALL_PROXY"]).find_map(set) else {
        return Ok(None);
    };
    let exempt = ["no_proxy", "NO_PROXY"].into_iter().find_map(set).map_or(String::new(), |(_, hosts)| hosts);
    let proxy = parse(&value, &exempt).ok_or(FetchError::Proxy { variable })?;
    Ok(Some(Named { proxy, variable }))
}

/// `None` if `value` names no proxy that ureq can use.
fn parse(value: &str, exempt: &str) -> Option<Proxy> {
    let named = Proxy::new(value).ok()?;
    let speaks_http = matches!(named.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
    let authority = named.uri().authority()?;
    // ureq would replace a port that is not a number by the default port.
    let has_bad_port = !authority.as_str().ends_with(authority.host()) && authority.port_u16().is_none();
    if !speaks_http || named.host().is_empty() || has_bad_port {
        return None;
    }
    // Only ureq's builder accepts exempt hosts.
    let mut builder = Proxy::builder(named.protocol()).host(named.host()).port(named.port());
    if let Some(username) = named.username() {
        builder = builder.username(username);
    }
    if let Some(password) = named.password() {
        builder = builder.password(password);
    }
    for host in exempt.split([',', ' ']).filter(|host| !host.is_empty()) {
        // As in curl, a name covers its subdomains, whether it begins with a dot or not.
        let host = host.trim_start_matches('.');
        builder = builder.no_proxy(host).no_proxy(&format!(".{host}"));
    }
    builder.build().ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn of(url: &str, variables: &[(&str, &str)]) -> Result<Option<Named>, FetchError> {
        super::of(url, |name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into()))
    }

    /// The proxy that is used for `url`, in words.
    fn used(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        of(url, variables).unwrap().filter(|named| named.is_for(url)).map(|named| named.to_string())
    }

    #[test]
    fn the_scheme_of_the_address_chooses_the_variable_and_all_proxy_is_the_last() {
        let all = [("HTTP_PROXY", "a:1"), ("HTTPS_PROXY", "http://b:2"), ("ALL_PROXY", "https://c:3")];
        assert_eq!(used("http://x/y", &all).unwrap(), "the proxy a:1 of HTTP_PROXY");
        assert_eq!(used("https://x/y", &all).unwrap(), "the proxy b:2 of HTTPS_PROXY");
        assert_eq!(used("https://x/y", &all[..1]), None);
        assert_eq!(used("http://x/y", &all[1..2]), None);
        assert_eq!(used("http://x/y", &all[1..]).unwrap(), "the proxy c:3 of ALL_PROXY");
    }

    #[test]
    fn lower_case_goes_first_and_an_empty_variable_is_none() {
        let both = [("https_proxy", "a:1"), ("HTTPS_PROXY", "b:2")];
        assert_eq!(used("https://x/y", &both).unwrap(), "the proxy a:1 of https_proxy");
        let empty = [("https_proxy", ""), ("HTTPS_PROXY", " "), ("all_proxy", "c:3")];
        assert_eq!(used("https://x/y", &empty).unwrap(), "the proxy c:3 of all_proxy");
        assert_eq!(used("https://x/y", &empty[..2]), None);
    }

    #[test]
    fn exempt_hosts_are_matched_with_all_below_them_and_whatever_stands_between_them() {
        for exempt in ["localhost, mirror.lan", "localhost,.mirror.lan", " mirror.lan localhost", "*"] {
            let variables = [("http_proxy", "a:1"), ("NO_PROXY", exempt)];
            for url in ["http://mirror.lan/x", "http://old.Mirror.lan:8080/x", "http://localhost/x"] {
                assert_eq!(used(url, &variables), None, "{url} with {exempt}");
            }
        }
        let variables = [("http_proxy", "a:1"), ("NO_PROXY", "localhost, mirror.lan")];
        assert!(used("http://notmirror.lan/x", &variables).is_some());
    }

    #[test]
    fn name_and_password_go_to_the_proxy_but_not_into_messages() {
        let named = of("https://x/y", &[("HTTPS_PROXY", "http://me:p%40ss@b:2")]).unwrap().unwrap();
        assert_eq!((named.proxy.username(), named.proxy.password()), (Some("me"), Some("p@ss")));
        assert_eq!(named.to_string(), "the proxy b:2 of HTTPS_PROXY");
    }

    #[test]
    fn a_value_that_names_no_http_proxy_is_refused_with_the_variable() {
        for value in ["socks5://b:1080", "ftp://b", "http://", "http://:3128", "b:port", "b c", "http://b:99999"] {
            let message = of("https://x/y", &[("https_proxy", value)]).err().map(|error| error.to_string());
            let message = message.unwrap_or_else(|| panic!("{value} is taken for a proxy"));
            assert!(message.starts_with("https_proxy: expected the address of a proxy"), "{message}");
        }
    }
}

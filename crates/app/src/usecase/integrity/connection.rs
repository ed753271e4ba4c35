//! HTTP to registries: bounded, patient with a server that is busy, and never telling an address or a credential.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy};

use super::PATIENCE;
use super::places::Place;

const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(30);
const BODY: Duration = Duration::from_secs(60);
const TRIES: u32 = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Why there is no answer. The texts name the registry's host and nothing else of its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// It could not be reached.
    Unreachable(String),
    /// It was, and gives no answer that can be used.
    Refused(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) | Self::Refused(why) => f.write_str(why),
        }
    }
}

pub(super) struct Connection {
    agent: Agent,
    /// For registries on this machine: without proxy, and without TLS.
    near: Agent,
    /// How often each host failed since it last answered, and how.
    failed: Mutex<HashMap<String, (usize, String)>>,
}

impl Connection {
    pub(super) fn new(certificates: Vec<PathBuf>) -> Self {
        let mut roots: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        for path in certificates {
            let bytes = std::fs::read(path).unwrap_or_default();
            for item in parse_pem(&bytes).flatten() {
                if let PemItem::Certificate(certificate) = item {
                    roots.push(certificate);
                }
            }
        }
        Self {
            agent: agent(&roots, Proxy::try_from_env()),
            near: agent(&roots, None),
            failed: Mutex::default(),
        }
    }

    /// The bytes at an address; `None` where there is nothing.
    pub(super) fn get(
        &self,
        url: &str,
        accept: &str,
        place: &Place,
        most: u64,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let host = place.host();
        if let Some((count, why)) = self.failed.lock().ok().and_then(|failed| failed.get(host).cloned())
            && count >= PATIENCE
        {
            return Err(Failure::Unreachable(why));
        }
        let outcome = self.patiently(url, accept, place, most);
        if let Ok(mut failed) = self.failed.lock() {
            match &outcome {
                Err(Failure::Unreachable(why)) => {
                    failed.entry(host.to_owned()).or_insert((0, why.clone())).0 += 1;
                }
                Ok(_) | Err(Failure::Refused(_)) => drop(failed.remove(host)),
            }
        }
        outcome
    }

    fn patiently(
        &self,
        url: &str,
        accept: &str,
        place: &Place,
        most: u64,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let host = place.host();
        let mut wait = Duration::from_millis(400);
        let mut tried = 1;
        loop {
            let outcome = self.send(url, accept, place).and_then(|answer| {
                let status = answer.status();
                let asked_to_wait = retry_after(&answer);
                let mut bytes = Vec::new();
                let body = answer.into_body().into_with_config().limit(most.saturating_add(1)).reader();
                body.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
                Ok((status, asked_to_wait, bytes))
            });
            let was_reached = outcome.is_ok();
            let (why, asked_to_wait) = match outcome {
                Ok((status, _, bytes)) if status.is_success() => {
                    let large = u64::try_from(bytes.len()).is_ok_and(|length| length > most);
                    let why = || Failure::Refused(format!("{host} gave more than {} MB", most >> 20));
                    return if large { Err(why()) } else { Ok(Some(bytes)) };
                }
                Ok((status, wait, _)) if is_passing(status) => {
                    (format!("{host} answered with {}", status.as_u16()), wait)
                }
                Ok((StatusCode::NOT_FOUND | StatusCode::GONE, _, _)) => return Ok(None),
                Ok((StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _, _)) => {
                    let why = if place.authorization.is_some() {
                        "the account that is configured"
                    } else {
                        "somebody who is not logged in"
                    };
                    return Err(Failure::Refused(format!("{host} does not tell {why}")));
                }
                Ok((status, _, _)) => {
                    return Err(Failure::Refused(format!("{host} answered with {}", status.as_u16())));
                }
                Err(error) => (format!("{host}: {}", words(&error)), None),
            };
            // What can't be connected to twice is not there.
            if tried >= if was_reached { TRIES } else { 2 } {
                return Err(Failure::Unreachable(why));
            }
            std::thread::sleep(asked_to_wait.unwrap_or(wait).min(LONGEST_WAIT));
            wait = wait.saturating_mul(3);
            tried += 1;
        }
    }

    fn send(&self, url: &str, accept: &str, place: &Place) -> Result<Response<Body>, ureq::Error> {
        let is_near = is_loopback(place.host());
        let agent = if is_near { &self.near } else { &self.agent };
        let mut request = agent.get(url).header("accept", accept);
        // A credential goes over no line that others can read.
        if let Some(authorization) =
            place.authorization.as_ref().filter(|_| is_near || url.starts_with("https://"))
        {
            request = request.header("authorization", authorization);
        }
        request.call()
    }
}

fn agent(roots: &[Certificate<'static>], proxy: Option<Proxy>) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(5)
        .max_idle_connections_per_host(super::AT_ONCE)
        .user_agent(concat!("parallax/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_recv_body(Some(BODY))
        .proxy(proxy);
    Agent::new_with_config(config.build())
}

fn is_loopback(host: &str) -> bool {
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What went wrong, without any address.
fn words(error: &ureq::Error) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "another's enum, which may grow")]
    match error {
        ureq::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
            std::io::ErrorKind::TimedOut => "it gave no answer in time".to_owned(),
            _ => "there is no such host, or the connection failed".to_owned(),
        },
        ureq::Error::HostNotFound => "there is no such host".to_owned(),
        ureq::Error::Timeout(_) => "it gave no answer in time".to_owned(),
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => "its certificate is not accepted".to_owned(),
        ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => {
            "it leads from address to address".to_owned()
        }
        ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => {
            "the proxy does not let it through".to_owned()
        }
        _ => "the connection failed".to_owned(),
    }
}

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let whole = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4_usize {
            let index = usize::try_from(whole >> (18 - 6 * digit) & 63).unwrap_or(0);
            let c = DIGITS.get(index).copied().map_or('=', char::from);
            out.push(if digit <= chunk.len() { c } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_specification() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}

//! One registry over HTTP: who is asked, how it is proven who asks, what is tried again, and what a failure means.
//! Knows nothing of manifests.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use ureq::config::RedirectAuthHeaders;
use ureq::http::{Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy};

use super::certificates;
use super::challenge::{self, Challenge};
use super::credentials::{Account, Credentials};
use super::words;
use crate::image::{ImageError, Reference};

/// Docker's own registry is asked at another address than it is called by.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(30);
/// A layer may take long, but not without a byte for this long.
const STALL: Duration = Duration::from_secs(30);
const BODY: Duration = Duration::from_secs(1800);
/// How often a request is tried in all, and how long is waited at most before the next.
const TRIES: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// At most so much of a token or of an error is read.
const MOST_ANSWER: u64 = 1 << 20;

/// A registry that is asked about one repository.
pub(super) struct Connection {
    /// What people call it.
    pub(super) place: String,
    base: String,
    agent: Agent,
    account: Option<Account>,
    /// What the header `Authorization` says, once it is known.
    authorization: Mutex<Option<String>>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Failure {
    errors: Vec<FailureEntry>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FailureEntry {
    code: String,
    message: String,
}

impl Connection {
    pub(super) fn new(reference: &Reference, credentials: &Credentials) -> Result<Self, ImageError> {
        let place = reference.registry().to_owned();
        let host = if place == DOCKER_HUB.0 { DOCKER_HUB.1 } else { &place };
        let account = credentials.account(&place, reference.repository()).map_err(|why| {
            ImageError::Refused { place: place.clone(), reference: reference.to_string(), why }
        })?;
        let is_near = is_loopback(host);
        let agent = agent(host, is_near);
        // As Docker does: only a registry on this machine may speak without TLS.
        let plain = format!("http://{host}");
        let speaks_plainly = || {
            let answer = agent.get(format!("{plain}/v2/")).call();
            answer.is_ok_and(|answer| answer.status() != StatusCode::BAD_REQUEST)
        };
        let base = if is_near && speaks_plainly() { plain } else { format!("https://{host}") };
        Ok(Self { place, base, agent, account, authorization: Mutex::default() })
    }

    /// The bytes of a small document.
    pub(super) fn bytes(
        &self,
        reference: &Reference,
        path: &str,
        accept: &str,
        most: u64,
    ) -> Result<Vec<u8>, ImageError> {
        let mut last = None;
        for _ in 0..TRIES {
            let response = self.get(reference, path, accept)?;
            let mut bytes = Vec::new();
            match body(response, most.saturating_add(2)).take(most.saturating_add(1)).read_to_end(&mut bytes)
            {
                Ok(count) if u64::try_from(count).is_ok_and(|count| count > most) => {
                    return Err(ImageError::TooLarge {
                        place: self.place.clone(),
                        what: path.to_owned(),
                        why: format!("it is larger than {} MB", most >> 20),
                    });
                }
                Ok(_) => return Ok(bytes),
                Err(error) => last = Some(error),
            }
        }
        Err(self.unreachable(last.map_or_else(|| "it stopped answering".to_owned(), |e| words::of_io(&e))))
    }

    /// The bytes of a layer, as they come.
    pub(super) fn stream(
        &self,
        reference: &Reference,
        path: &str,
        size: u64,
    ) -> Result<Box<dyn Read + Send>, ImageError> {
        let response = self.get(reference, path, "*/*")?;
        Ok(Box::new(body(response, size.saturating_add(1))))
    }

    /// Asks, and proves who asks where the registry wants to know.
    fn get(&self, reference: &Reference, path: &str, accept: &str) -> Result<Response<Body>, ImageError> {
        let url = format!("{}/v2/{}/{path}", self.base, reference.repository());
        let known = || self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut response = self.send(&url, accept, known().as_deref())?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let headers = response.headers().get_all("www-authenticate");
            let asked = challenge::read(headers.iter().filter_map(|value| value.to_str().ok()));
            if let Some(authorization) =
                asked.map(|asked| self.prove(reference, asked)).transpose()?.flatten()
            {
                response = self.send(&url, accept, Some(&authorization))?;
                *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(authorization);
            }
        }
        if response.status().is_success() { Ok(response) } else { Err(self.failure(reference, response)) }
    }

    fn send(
        &self,
        url: &str,
        accept: &str,
        authorization: Option<&str>,
    ) -> Result<Response<Body>, ImageError> {
        self.patiently(|| {
            let mut request = self.agent.get(url).header("accept", accept);
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            request.call()
        })
    }

    /// Tries again what may be better in a moment.
    fn patiently(
        &self,
        send: impl Fn() -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>, ImageError> {
        let mut wait = Duration::from_millis(300);
        let mut tried = 1;
        loop {
            let outcome = send();
            let is_last = tried >= TRIES;
            let asked_to_wait = match &outcome {
                Ok(response) if is_passing(response.status()) && !is_last => retry_after(response),
                Err(error) if is_passing_error(error) && !is_last => None,
                Ok(_) | Err(_) => return outcome.map_err(|error| self.unreachable(words::of(&error))),
            };
            std::thread::sleep(asked_to_wait.unwrap_or(wait).min(LONGEST_WAIT));
            wait = wait.saturating_mul(3);
            tried += 1;
        }
    }

    /// What proves who asks; `None` where nothing could.
    fn prove(&self, reference: &Reference, asked: Challenge) -> Result<Option<String>, ImageError> {
        let (realm, service, scope) = match asked {
            Challenge::Basic => return Ok(self.account.as_ref().and_then(Account::basic)),
            Challenge::Bearer { realm, service, scope } => (realm, service, scope),
        };
        let is_safe = realm.starts_with("https://")
            || realm.strip_prefix("http://").is_some_and(|rest| {
                is_loopback(rest.split(['/', '?']).next().unwrap_or_default())
                    && self.base.starts_with("http://")
            });
        if !is_safe {
            let why = "it names an address for tokens that is not https".to_owned();
            return Err(self.refused(reference, why));
        }
        let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", reference.repository()));
        let service = service.unwrap_or_default();
        let response = match &self.account {
            Some(Account::Token(token)) => self.patiently(|| {
                self.agent.post(&realm).header("accept", "application/json").send_form([
                    ("grant_type", "refresh_token"),
                    ("refresh_token", token),
                    ("service", &service),
                    ("scope", &scope),
                    ("client_id", "parallax"),
                ])
            })?,
            Some(Account::Password { .. }) | None => self.patiently(|| {
                let mut request = self.agent.get(&realm).query("scope", &scope);
                if !service.is_empty() {
                    request = request.query("service", &service);
                }
                if let Some(basic) = self.account.as_ref().and_then(Account::basic) {
                    request = request.header("authorization", basic);
                }
                request.call()
            })?,
        };
        if !response.status().is_success() {
            return Err(self.failure(reference, response));
        }
        let token: Option<Token> = serde_json::from_reader(body(response, MOST_ANSWER)).ok();
        let token = token
            .and_then(|token| token.token.or(token.access_token))
            .filter(|t| t.bytes().all(|b| b.is_ascii_graphic()));
        match token {
            Some(token) => Ok(Some(format!("Bearer {token}"))),
            None => Err(self.refused(reference, "its address for tokens gave none".to_owned())),
        }
    }

    /// What an answer means that is no success, in the registry's own words where it has some.
    fn failure(&self, reference: &Reference, response: Response<Body>) -> ImageError {
        let status = response.status();
        let mut text = Vec::new();
        // What can't be read says nothing.
        let _read = body(response, MOST_ANSWER).read_to_end(&mut text);
        let failure: Failure = serde_json::from_slice(&text).unwrap_or_default();
        let told = failure.errors.first().map_or_else(String::new, |e| {
            let message: String = crate::secret::redact_text(&e.message).chars().take(200).collect();
            format!(" ({}: {message})", e.code.chars().take(60).collect::<String>())
        });
        let who = match &self.account {
            Some(_) => "the account that is kept for it",
            None => "somebody who is not logged in",
        };
        match status {
            StatusCode::NOT_FOUND => {
                ImageError::NotFound { place: self.place.clone(), reference: reference.to_string() }
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.refused(reference, format!("it does not give it to {who}{told}"))
            }
            StatusCode::TOO_MANY_REQUESTS => self.refused(reference, format!("it was asked too often{told}")),
            other => self.unreachable(format!("it answered with {}{told}", other.as_u16())),
        }
    }

    fn refused(&self, reference: &Reference, why: String) -> ImageError {
        ImageError::Refused { place: self.place.clone(), reference: reference.to_string(), why }
    }

    fn unreachable(&self, why: String) -> ImageError {
        ImageError::Unreachable { place: self.place.clone(), why }
    }
}

fn agent(host: &str, is_near: bool) -> Agent {
    let certificates = certificates::trusted(host);
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&certificates))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .https_only(!is_near)
        .max_redirects(5)
        .redirect_auth_headers(RedirectAuthHeaders::Never)
        .user_agent(concat!("parallax/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_recv_body(Some(BODY))
        .timeout_per_read(Some(STALL));
    // The variables of proxies hold for all but this machine.
    config = config.proxy(if is_near { None } else { Proxy::try_from_env() });
    Agent::new_with_config(config.build())
}

fn body(response: Response<Body>, most: u64) -> impl Read + Send {
    response.into_body().into_with_config().limit(most).reader()
}

/// Whether a host, with or without its port, is this machine.
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
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn is_passing_error(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(_) | ureq::Error::ConnectionFailed | ureq::Error::BodyStalled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_hosts_are_this_machine() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["localhost.example.org", "example.org:80", "10.0.0.1", "[::2]:1", "", "::1x", "127.0.0.1.nip.io"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}

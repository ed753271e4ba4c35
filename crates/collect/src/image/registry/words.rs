//! What went wrong with a connection, in words of our own: those of the client hold addresses, and what is behind the
//! `?` of one may be signed.

use std::io;

use ureq::Error;

const LATE: &str = "it gave no answer in time";

/// Of a request.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours, and grows")]
pub(super) fn of(error: &Error) -> String {
    match error {
        Error::Io(error) => return of_io(error),
        Error::Rustls(error) => return format!("its certificate or its TLS is not accepted: {error}"),
        Error::Tls(why) => return format!("its TLS is not accepted: {why}"),
        Error::Timeout(_) | Error::BodyStalled => LATE,
        Error::HostNotFound => "there is no such host",
        Error::RequireHttpsOnly(_) => "it leads to an address that is not https",
        Error::TooManyRedirects | Error::RedirectFailed => "it leads from address to address",
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => {
            "the proxy that the environment names does not let it through"
        }
        _ => "the connection failed",
    }
    .to_owned()
}

/// Of a read or write.
pub(super) fn of_io(error: &io::Error) -> String {
    let kind = error.kind();
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return format!("its certificate or its TLS is not accepted: {error}");
    }
    if kind == io::ErrorKind::ConnectionRefused {
        "the connection was refused".to_owned()
    } else if kind == io::ErrorKind::TimedOut {
        LATE.to_owned()
    } else if kind == io::ErrorKind::InvalidData {
        "its certificate or its TLS is not accepted".to_owned()
    } else {
        kind.to_string()
    }
}

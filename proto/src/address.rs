//! Where a collector listens.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Where `lannerd` listens when it is not told, and `lanner connect` looks.
pub const DEFAULT_SOCKET: &str = "/run/lanner/lanner.sock";

/// A collector's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `unix:///PATH`: a Unix socket.
    Unix(PathBuf),
    /// `http://127.0.0.1:PORT`: TCP on this machine only, without TLS.
    Loopback(SocketAddr),
}

/// An address that cannot be used; the text says why and what can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAddress(String);

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadAddress {}

impl Default for Address {
    fn default() -> Self {
        Address::Unix(DEFAULT_SOCKET.into())
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(s: &str) -> Result<Self, BadAddress> {
        if let Some(path) = s.strip_prefix("unix://").or_else(|| s.strip_prefix("unix:")) {
            if !path.starts_with('/') {
                return Err(BadAddress(format!(
                    "`{s}` is no address: the socket's path must begin with /, as in unix://{DEFAULT_SOCKET}"
                )));
            }
            return Ok(Address::Unix(path.into()));
        }
        if let Some(host) = s.strip_prefix("http://") {
            let host = host.strip_suffix('/').unwrap_or(host);
            let numeric = host.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
            let address: SocketAddr = numeric.as_deref().unwrap_or(host).parse().map_err(|_| {
                BadAddress(format!("`{s}` is no address: write a number and a port, as in http://127.0.0.1:4317"))
            })?;
            if !address.ip().is_loopback() {
                return Err(BadAddress(format!(
                    "`{s}` is not on this machine, and Lanner does not speak TLS yet: use a Unix socket or a loopback \
                     address, and carry it over ssh or kubectl port-forward"
                )));
            }
            return Ok(Address::Loopback(address));
        }
        if s.starts_with("https://") {
            return Err(BadAddress(format!(
                "`{s}` cannot be used: Lanner does not speak TLS yet; use a Unix socket or a loopback address"
            )));
        }
        Err(BadAddress(format!("`{s}` is no address: use unix:///PATH or http://127.0.0.1:PORT")))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::Loopback(address) => write!(f, "http://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_on_this_machine_are_taken() {
        for (text, shown) in [
            ("unix:///run/lanner/lanner.sock", "unix:///run/lanner/lanner.sock"),
            ("unix:/tmp/x", "unix:///tmp/x"),
            ("http://127.0.0.1:4317", "http://127.0.0.1:4317"),
            ("http://localhost:4317/", "http://127.0.0.1:4317"),
            ("http://[::1]:4317", "http://[::1]:4317"),
        ] {
            assert_eq!(text.parse::<Address>().map(|a| a.to_string()), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn others_are_refused_and_told_why() {
        for (text, why) in [
            ("http://10.0.0.1:4317", "TLS"),
            ("http://0.0.0.0:4317", "TLS"),
            ("https://127.0.0.1:4317", "TLS"),
            ("http://node:4317", "number and a port"),
            ("unix://run/x", "begin with /"),
            ("/run/lanner/lanner.sock", "unix:///PATH"),
            ("", "unix:///PATH"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

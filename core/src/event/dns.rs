//! Questions to name servers.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::{Flow, Text};

/// A question to a name server and what became of it, told when the answer came, or when nobody waited for one any more.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Dns {
    /// The flow; its remote end is the server.
    pub flow: Flow,
    /// How it was carried.
    pub transport: DnsTransport,
    /// The name that was asked for, as it was spelled: labels with dots between, `.` for the root. A dot or a backslash
    /// within a label has a backslash before it.
    pub name: Text,
    /// What about the name was asked for.
    pub record_type: RecordType,
    /// The answer; `None`: there was none.
    pub reply: Option<DnsReply>,
    /// From the question to the answer, or to the end of waiting; `None`: the question was not seen, the answer alone was.
    #[serde(rename = "waited_ns", serialize_with = "optional_nanoseconds")]
    pub waited: Option<Duration>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct DnsReply {
    /// Whether there was an error.
    pub rcode: ResponseCode,
    /// Addresses, in the answer's order; at most [`DnsReply::MAX`].
    pub addresses: Vec<IpAddr>,
    /// Names: aliases on the way to the addresses, or what a PTR record leads to; at most [`DnsReply::MAX`].
    pub names: Vec<Text>,
    /// How many records the answer says it has, of whatever type.
    pub records: u16,
    /// The shortest time that a record may be kept, in seconds; `None` without records.
    pub ttl: Option<u32>,
    /// The server could not send all of it: resolvers ask again over TCP.
    pub truncated: bool,
    /// The sensor could not read all of it.
    pub cut: bool,
}

impl DnsReply {
    /// The most addresses, and the most names, that are kept of an answer.
    pub const MAX: usize = 32;
}

/// How a question was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsTransport {
    /// In a datagram.
    Udp,
    /// Over a connection.
    Tcp,
}

impl DnsTransport {
    /// Its name: `udp` or `tcp`.
    pub fn name(self) -> &'static str {
        match self {
            DnsTransport::Udp => "udp",
            DnsTransport::Tcp => "tcp",
        }
    }
}

/// What about a name is asked for: the IANA registry's number of the record type. Serialized as its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordType(pub u16);

impl RecordType {
    /// An IPv4 address.
    pub const A: RecordType = RecordType(1);
    /// An alias.
    pub const CNAME: RecordType = RecordType(5);
    /// What name an address has.
    pub const PTR: RecordType = RecordType(12);
    /// An IPv6 address.
    pub const AAAA: RecordType = RecordType(28);

    /// `A`, `AAAA`, ...; `TYPE` and the number when it is not well known.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self.0 {
            1 => "A",
            2 => "NS",
            5 => "CNAME",
            6 => "SOA",
            10 => "NULL",
            12 => "PTR",
            13 => "HINFO",
            15 => "MX",
            16 => "TXT",
            28 => "AAAA",
            33 => "SRV",
            35 => "NAPTR",
            39 => "DNAME",
            43 => "DS",
            46 => "RRSIG",
            47 => "NSEC",
            48 => "DNSKEY",
            52 => "TLSA",
            64 => "SVCB",
            65 => "HTTPS",
            99 => "SPF",
            251 => "IXFR",
            252 => "AXFR",
            255 => "ANY",
            257 => "CAA",
            other => return Cow::Owned(format!("TYPE{other}")),
        })
    }
}

impl Serialize for RecordType {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.name())
    }
}

/// Whether a name server had an answer: the IANA registry's number. Serialized as its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ResponseCode(pub u16);

impl ResponseCode {
    /// It had.
    pub const NOERROR: ResponseCode = ResponseCode(0);
    /// It failed.
    pub const SERVFAIL: ResponseCode = ResponseCode(2);
    /// There is no such name.
    pub const NXDOMAIN: ResponseCode = ResponseCode(3);

    /// `NOERROR`, `NXDOMAIN`, ...; `RCODE` and the number when it is not well known.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self.0 {
            0 => "NOERROR",
            1 => "FORMERR",
            2 => "SERVFAIL",
            3 => "NXDOMAIN",
            4 => "NOTIMP",
            5 => "REFUSED",
            6 => "YXDOMAIN",
            7 => "YXRRSET",
            8 => "NXRRSET",
            9 => "NOTAUTH",
            10 => "NOTZONE",
            other => return Cow::Owned(format!("RCODE{other}")),
        })
    }
}

impl Serialize for ResponseCode {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.name())
    }
}

// Serde passes a reference to the field, whatever its type.
#[allow(clippy::ref_option)]
fn optional_nanoseconds<S: Serializer>(duration: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    duration.map(|d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)).serialize(to)
}

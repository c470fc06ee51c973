//! Questions to name servers.

use std::net::IpAddr;
use std::time::Duration;

use lanner_core::event::{Dns, DnsReply, DnsTransport, RecordType, ResponseCode};

use super::net::flow;
use super::{Refused, bytes, text};
use crate::v1;

impl From<&Dns> for v1::Dns {
    fn from(dns: &Dns) -> Self {
        let transport = match dns.transport {
            DnsTransport::Udp => v1::DnsTransport::Udp,
            DnsTransport::Tcp => v1::DnsTransport::Tcp,
        };
        v1::Dns {
            flow: Some((&dns.flow).into()),
            transport: transport.into(),
            name: bytes(&dns.name),
            record_type: dns.record_type.0.into(),
            reply: dns.reply.as_ref().map(Into::into),
            waited: dns.waited.map(|waited| u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX)),
        }
    }
}

impl TryFrom<v1::Dns> for Dns {
    type Error = Refused;

    fn try_from(dns: v1::Dns) -> Result<Self, Refused> {
        let transport = match dns.transport() {
            v1::DnsTransport::Udp => DnsTransport::Udp,
            v1::DnsTransport::Tcp => DnsTransport::Tcp,
            v1::DnsTransport::Unspecified => return Err(Refused::Unknown),
        };
        Ok(Dns {
            flow: flow(dns.flow)?,
            transport,
            name: text(dns.name, "name")?,
            record_type: RecordType(small(dns.record_type, "record_type")?),
            reply: dns.reply.map(TryInto::try_into).transpose()?,
            waited: dns.waited.map(Duration::from_nanos),
        })
    }
}

impl From<&DnsReply> for v1::DnsReply {
    fn from(reply: &DnsReply) -> Self {
        let octets = |address: &IpAddr| match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        let too_many = reply.addresses.len().max(reply.names.len()) > DnsReply::MAX;
        v1::DnsReply {
            rcode: reply.rcode.0.into(),
            addresses: reply.addresses.iter().take(DnsReply::MAX).map(octets).collect(),
            names: reply.names.iter().take(DnsReply::MAX).map(bytes).collect(),
            records: reply.records.into(),
            ttl: reply.ttl,
            truncated: reply.truncated,
            cut: reply.cut || too_many,
        }
    }
}

impl TryFrom<v1::DnsReply> for DnsReply {
    type Error = Refused;

    fn try_from(reply: v1::DnsReply) -> Result<Self, Refused> {
        if reply.addresses.len().max(reply.names.len()) > DnsReply::MAX {
            return Err(Refused::Malformed("reply"));
        }
        Ok(DnsReply {
            rcode: ResponseCode(small(reply.rcode, "rcode")?),
            addresses: reply.addresses.iter().map(|octets| address(octets)).collect::<Result<_, _>>()?,
            names: reply.names.into_iter().map(|name| text(name, "names")).collect::<Result<_, _>>()?,
            records: small(reply.records, "records")?,
            ttl: reply.ttl,
            truncated: reply.truncated,
            cut: reply.cut,
        })
    }
}

fn small(number: u32, field: &'static str) -> Result<u16, Refused> {
    u16::try_from(number).map_err(|_| Refused::Malformed(field))
}

fn address(octets: &[u8]) -> Result<IpAddr, Refused> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Ok(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(octets).map(IpAddr::from).map_err(|_| Refused::Malformed("addresses"))
}

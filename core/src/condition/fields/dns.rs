//! `lanner.dns.*`: questions to name servers.

use std::borrow::Cow;

use super::{DNS, Field, Found, flag, known, made, number, text, texts, word};
use crate::condition::scratch::Put;
use crate::condition::view::View;
use crate::event::{Dns, Payload};

pub(super) const FIELDS: &[Field] = &[
    text("lanner.dns.name", DNS, "The name that was asked for, in lower case and without a dot at its end.", |v| {
        let name = dns(v)?.name.as_bytes();
        Some(v.put(Put::DnsName, |out| out.extend(name.iter().map(u8::to_ascii_lowercase))))
    }),
    text("lanner.dns.name.spelled", DNS, "The same, as it was spelled.", |v| known(&dns(v)?.name)),
    text("lanner.dns.type", DNS, "What was asked for: A, AAAA, TXT, ...", |v| spelled(dns(v)?.record_type.name())),
    text("lanner.dns.rcode", DNS, "The answer's code: NOERROR, NXDOMAIN, ...; absent when there was none.", |v| {
        spelled(dns(v)?.reply.as_ref()?.rcode.name())
    }),
    flag("lanner.dns.answered", DNS, "Whether there was an answer.", |v| Some(dns(v)?.reply.is_some())),
    texts("lanner.dns.answers", DNS, "The addresses, then the names, of the answer.", |v, each| {
        let Some(reply) = dns(v).and_then(|dns| dns.reply.as_ref()) else { return };
        let addresses = reply.addresses.iter().map(|address| Cow::Owned(address.to_string().into_bytes()));
        let names = reply.names.iter().map(|name| Cow::Borrowed(name.as_bytes()));
        let _ = addresses.chain(names).all(each);
    }),
    number("lanner.dns.ttl", DNS, "How many seconds the answer may be kept.", |v| {
        Some(dns(v)?.reply.as_ref()?.ttl?.into())
    }),
    number(
        "lanner.dns.waited",
        DNS,
        "From the question to the answer, or to the end of waiting, in nanoseconds.",
        |v| Some(dns(v)?.waited?.as_nanos() as i128),
    ),
    text("lanner.dns.transport", DNS, "udp or tcp.", |v| word(dns(v)?.transport.name())),
];

fn dns(view: View<'_>) -> Option<&Dns> {
    match &view.event.payload {
        Payload::Dns(dns) => Some(dns),
        _ => None,
    }
}

fn spelled(name: Cow<'static, str>) -> Found<'static> {
    match name {
        Cow::Borrowed(name) => word(name),
        Cow::Owned(name) => made(name),
    }
}

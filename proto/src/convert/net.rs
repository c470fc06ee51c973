//! TCP connections.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use lanner_core::event::{Accept, Attempt, Close, Connect, End, Flow, FlowId, Listen, Quality, Traffic};

use super::Refused;
use crate::v1;

impl From<SocketAddr> for v1::Endpoint {
    fn from(address: SocketAddr) -> Self {
        let port = u32::from(address.port());
        match address {
            SocketAddr::V4(v4) => v1::Endpoint { ip: v4.ip().octets().to_vec(), port, flow_info: 0, scope_id: 0 },
            SocketAddr::V6(v6) => {
                v1::Endpoint { ip: v6.ip().octets().to_vec(), port, flow_info: v6.flowinfo(), scope_id: v6.scope_id() }
            }
        }
    }
}

impl TryFrom<v1::Endpoint> for SocketAddr {
    type Error = Refused;

    fn try_from(endpoint: v1::Endpoint) -> Result<Self, Refused> {
        let port = u16::try_from(endpoint.port).map_err(|_| Refused::Malformed("port"))?;
        if let Ok(v4) = <[u8; 4]>::try_from(endpoint.ip.as_slice()) {
            return Ok(SocketAddrV4::new(Ipv4Addr::from(v4), port).into());
        }
        let v6 = <[u8; 16]>::try_from(endpoint.ip.as_slice()).map_err(|_| Refused::Malformed("ip"))?;
        Ok(SocketAddrV6::new(Ipv6Addr::from(v6), port, endpoint.flow_info, endpoint.scope_id).into())
    }
}

impl From<&Flow> for v1::Flow {
    fn from(flow: &Flow) -> Self {
        v1::Flow { id: flow.id.0, local: Some(flow.local.into()), remote: Some(flow.remote.into()), netns: flow.netns }
    }
}

impl TryFrom<v1::Flow> for Flow {
    type Error = Refused;

    fn try_from(flow: v1::Flow) -> Result<Self, Refused> {
        Ok(Flow {
            id: FlowId(flow.id),
            local: flow.local.ok_or(Refused::Malformed("local"))?.try_into()?,
            remote: flow.remote.ok_or(Refused::Malformed("remote"))?.try_into()?,
            netns: flow.netns,
        })
    }
}

pub(super) fn flow(flow: Option<v1::Flow>) -> Result<Flow, Refused> {
    flow.ok_or(Refused::Malformed("flow"))?.try_into()
}

impl From<&Connect> for v1::Connect {
    fn from(connect: &Connect) -> Self {
        let (attempt, errno) = match connect.attempt {
            Attempt::Started => (v1::Attempt::Started, 0),
            Attempt::Established => (v1::Attempt::Established, 0),
            Attempt::Failed(errno) => (v1::Attempt::Failed, errno),
        };
        v1::Connect { flow: Some((&connect.flow).into()), attempt: attempt.into(), errno, asked: connect.asked }
    }
}

impl TryFrom<v1::Connect> for Connect {
    type Error = Refused;

    fn try_from(connect: v1::Connect) -> Result<Self, Refused> {
        let attempt = match connect.attempt() {
            v1::Attempt::Started => Attempt::Started,
            v1::Attempt::Established => Attempt::Established,
            v1::Attempt::Failed => Attempt::Failed(connect.errno),
            v1::Attempt::Unspecified => return Err(Refused::Unknown),
        };
        Ok(Connect { flow: flow(connect.flow)?, attempt, asked: connect.asked })
    }
}

impl From<&Accept> for v1::Accept {
    fn from(accept: &Accept) -> Self {
        v1::Accept { flow: Some((&accept.flow).into()) }
    }
}

impl TryFrom<v1::Accept> for Accept {
    type Error = Refused;

    fn try_from(accept: v1::Accept) -> Result<Self, Refused> {
        Ok(Accept { flow: flow(accept.flow)? })
    }
}

impl From<&Listen> for v1::Listen {
    fn from(listen: &Listen) -> Self {
        v1::Listen { local: Some(listen.local.into()), netns: listen.netns }
    }
}

impl TryFrom<v1::Listen> for Listen {
    type Error = Refused;

    fn try_from(listen: v1::Listen) -> Result<Self, Refused> {
        Ok(Listen { local: listen.local.ok_or(Refused::Malformed("local"))?.try_into()?, netns: listen.netns })
    }
}

impl From<&Close> for v1::Close {
    fn from(close: &Close) -> Self {
        let (end, errno) = match close.end {
            End::Finished => (v1::End::Finished, 0),
            End::Reset => (v1::End::Reset, 0),
            End::Aborted => (v1::End::Aborted, 0),
            End::TimedOut => (v1::End::TimedOut, 0),
            End::Broken(errno) => (v1::End::Broken, errno),
        };
        v1::Close {
            flow: Some((&close.flow).into()),
            outgoing: close.outgoing,
            sent: close.sent,
            received: close.received,
            lasted: nanoseconds(close.lasted),
            quality: Some((&close.quality).into()),
            end: end.into(),
            errno,
        }
    }
}

impl TryFrom<v1::Close> for Close {
    type Error = Refused;

    fn try_from(close: v1::Close) -> Result<Self, Refused> {
        let end = match v1::End::try_from(close.end).map_err(|_| Refused::Unknown)? {
            v1::End::Finished => End::Finished,
            v1::End::Reset => End::Reset,
            v1::End::Aborted => End::Aborted,
            v1::End::TimedOut => End::TimedOut,
            v1::End::Broken => End::Broken(close.errno),
        };
        Ok(Close {
            flow: flow(close.flow)?,
            outgoing: close.outgoing,
            sent: close.sent,
            received: close.received,
            // Written before connections were told with these.
            quality: close.quality.map(Into::into).unwrap_or_default(),
            end,
            lasted: Duration::from_nanos(close.lasted),
        })
    }
}

impl From<&Traffic> for v1::Traffic {
    fn from(traffic: &Traffic) -> Self {
        v1::Traffic {
            flow: Some((&traffic.flow).into()),
            outgoing: traffic.outgoing,
            sent: traffic.sent,
            received: traffic.received,
            lasted: nanoseconds(traffic.lasted),
            quality: Some((&traffic.quality).into()),
        }
    }
}

impl TryFrom<v1::Traffic> for Traffic {
    type Error = Refused;

    fn try_from(traffic: v1::Traffic) -> Result<Self, Refused> {
        Ok(Traffic {
            flow: flow(traffic.flow)?,
            outgoing: traffic.outgoing,
            sent: traffic.sent,
            received: traffic.received,
            quality: traffic.quality.ok_or(Refused::Malformed("quality"))?.into(),
            lasted: Duration::from_nanos(traffic.lasted),
        })
    }
}

impl From<&Quality> for v1::Quality {
    fn from(quality: &Quality) -> Self {
        v1::Quality {
            retransmits: quality.retransmits,
            retransmitted: quality.retransmitted,
            rtt: nanoseconds(quality.rtt),
            rtt_min: nanoseconds(quality.rtt_min),
        }
    }
}

impl From<v1::Quality> for Quality {
    fn from(quality: v1::Quality) -> Self {
        Quality {
            retransmits: quality.retransmits,
            retransmitted: quality.retransmitted,
            rtt: Duration::from_nanos(quality.rtt),
            rtt_min: Duration::from_nanos(quality.rtt_min),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

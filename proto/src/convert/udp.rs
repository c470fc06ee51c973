//! UDP flows.

use std::time::Duration;

use lanner_core::event::{Datagrams, Udp, UdpStage};

use super::Refused;
use super::net::flow;
use crate::v1;

impl From<&Udp> for v1::Udp {
    fn from(udp: &Udp) -> Self {
        let stage = match udp.stage {
            UdpStage::Started => v1::UdpStage::Started,
            UdpStage::Continues => v1::UdpStage::Continues,
            UdpStage::Silent => v1::UdpStage::Silent,
            UdpStage::Closed => v1::UdpStage::Closed,
        };
        v1::Udp {
            flow: Some((&udp.flow).into()),
            stage: stage.into(),
            outgoing: udp.outgoing,
            connected: udp.connected,
            sent: Some(udp.sent.into()),
            received: Some(udp.received.into()),
            lasted: u64::try_from(udp.lasted.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

impl TryFrom<v1::Udp> for Udp {
    type Error = Refused;

    fn try_from(udp: v1::Udp) -> Result<Self, Refused> {
        let stage = match udp.stage() {
            v1::UdpStage::Started => UdpStage::Started,
            v1::UdpStage::Continues => UdpStage::Continues,
            v1::UdpStage::Silent => UdpStage::Silent,
            v1::UdpStage::Closed => UdpStage::Closed,
            v1::UdpStage::Unspecified => return Err(Refused::Unknown),
        };
        Ok(Udp {
            flow: flow(udp.flow)?,
            stage,
            outgoing: udp.outgoing,
            connected: udp.connected,
            sent: udp.sent.unwrap_or_default().into(),
            received: udp.received.unwrap_or_default().into(),
            lasted: Duration::from_nanos(udp.lasted),
        })
    }
}

impl From<Datagrams> for v1::Datagrams {
    fn from(Datagrams { datagrams, bytes }: Datagrams) -> Self {
        v1::Datagrams { datagrams, bytes }
    }
}

impl From<v1::Datagrams> for Datagrams {
    fn from(v1::Datagrams { datagrams, bytes }: v1::Datagrams) -> Self {
        Datagrams { datagrams, bytes }
    }
}

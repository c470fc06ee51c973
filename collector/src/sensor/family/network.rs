//! What the families of the network remember between records: UDP flows and open questions to name servers.
#![allow(unsafe_code)]

use std::fmt;

use aya::Ebpf;
use aya::maps::{HashMap as BpfHashMap, MapData};
use lanner_collector_abi::{Plain, UdpCounts, UdpKey, kind};
use lanner_core::event::{BootTime, Event};

use super::dns::Questions;
use super::udp::{Counters, Flows};
use crate::sensor::config::FlowLimits;
use crate::sensor::record::Reader;
use crate::sensor::with_causes;

const KEY: usize = size_of::<UdpKey>();
const COUNTS: usize = size_of::<UdpCounts>();

/// The state.
#[derive(Debug)]
pub(in crate::sensor) struct Network {
    flows: Flows<KernelCounters>,
    questions: Questions,
}

impl Network {
    /// Takes the map of counters out of the object.
    pub(in crate::sensor) fn new(ebpf: &mut Ebpf, limits: FlowLimits) -> Result<Self, String> {
        let map = ebpf.take_map("UDP_COUNTS").ok_or("the object has no map UDP_COUNTS")?;
        let counters = KernelCounters(BpfHashMap::try_from(map).map_err(|e| with_causes(&e))?);
        Ok(Network { flows: Flows::new(counters, limits), questions: Questions::default() })
    }

    /// Takes a record of one of these families. `None`: it does not decode.
    pub(super) fn read(&mut self, kind: u16, reader: &mut Reader<'_>, out: &mut Vec<Event>) -> Option<()> {
        match kind {
            kind::UDP => out.push(self.flows.started(reader)?),
            kind::UDP_RELEASED => {
                let (socket, at) = self.flows.released(reader, out)?;
                self.questions.released(socket, at, out);
            }
            kind::DNS => self.questions.passed(reader, out)?,
            _ => return None,
        }
        Some(())
    }

    /// Tells what time alone brings about. Nothing that happened before `now` is still to be read.
    pub(in crate::sensor) fn look(&mut self, now: BootTime, out: &mut Vec<Event>) {
        self.flows.look(now, out);
        self.questions.look(now, out);
    }

    /// Tells what has not been told yet: for the end.
    pub(in crate::sensor) fn finish(&mut self, now: BootTime, out: &mut Vec<Event>) {
        self.questions.finish(now, out);
        self.flows.finish(now, out);
    }
}

/// The map in which the programs count.
struct KernelCounters(BpfHashMap<MapData, [u8; KEY], [u8; COUNTS]>);

impl fmt::Debug for KernelCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelCounters").finish_non_exhaustive()
    }
}

impl Counters for KernelCounters {
    fn get(&self, key: &UdpKey) -> Option<UdpCounts> {
        Reader(&self.0.get(&bytes(key), 0).ok()?).fixed()
    }

    fn remove(&mut self, key: &UdpKey) {
        // What is gone already is as good.
        let _ = self.0.remove(&bytes(key));
    }
}

fn bytes<R: Plain, const N: usize>(record: &R) -> [u8; N] {
    const { assert!(size_of::<R>() == N) };
    // SAFETY: `Plain` types have no padding, so all their bytes are initialized, and there are so many of them.
    unsafe { std::ptr::from_ref(record).cast::<[u8; N]>().read_unaligned() }
}

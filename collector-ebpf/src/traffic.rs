//! How far connections that live have got: user space runs this now and then, so that packets cost nothing.

use core::ffi::c_void;

use lanner_collector_abi::{Direction, TcpRecord, TcpState, kind};

use crate::alive::IterMeta;
use crate::flow::{self, FlowState};
use crate::kernel::{Place as _, sock};
use crate::record::header_of;
use crate::ring;

/// `struct bpf_iter__bpf_map_elem`.
#[repr(C)]
pub struct IterElement {
    meta: *const IterMeta,
    map: *const c_void,
    key: *const u64,
    value: *mut FlowState,
}

/// Called once for every socket in `FLOWS`.
// SAFETY: the loader finds the program by section and name; nothing else defines them.
#[unsafe(link_section = "iter/bpf_map_elem")]
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn traffic(ctx: *mut IterElement) -> i32 {
    // SAFETY: the context of this program type; the verifier checks each of these loads.
    let (key, value) = unsafe { ((*ctx).key, (*ctx).value) };
    if key.is_null() || value.is_null() {
        return 0;
    }
    // SAFETY: the kernel hands out the element's key and value, as long as the program runs.
    let (address, state) = unsafe { (*key, *value) };
    let sk = sock::at(address);
    if state.owner.pid == 0 || state.direction == u32::from(Direction::LISTENING) || sk.state() == TcpState::CLOSE {
        return 0;
    }
    let mut record = TcpRecord { header: header_of(kind::TCP_TRAFFIC, state.owner), ..TcpRecord::default() };
    if record.header.time.wrapping_sub(state.since) < ring::traffic_age() {
        return 0;
    }
    flow::describe(sk, &state, &mut record);
    let total = record.sent + record.received;
    if total == state.told {
        return 0;
    }
    // SAFETY: as above; nothing else writes this field once the element is there.
    unsafe { (*value).told = total };
    ring::output_small(&mut record);
    0
}

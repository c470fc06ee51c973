//! Where some names stand in the kernel's cache: from that the collector finds out where the cache lies.

use core::ffi::c_void;
use core::ptr;

use aya_ebpf::helpers::generated;
use lanner_collector_abi::NameSample;

use crate::alive::IterTask;
use crate::files;
use crate::kernel::{launder, task_struct};

/// Descriptors that are looked at.
const DESCRIPTORS: u32 = 1024;

/// An iterator over tasks; writes a [`NameSample`] for each file that the thread which reads it has open.
// SAFETY: the loader finds the program by section and name; nothing else defines them.
#[unsafe(link_section = "iter/task")]
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn names(ctx: *mut IterTask) -> i32 {
    // SAFETY: the context of this program type; the verifier checks each of these loads.
    let (seq, found) = unsafe { ((*(*ctx).meta).seq, (*ctx).task) };
    let current = task_struct::current();
    if found.is_null() || launder(found as u64) != current.address {
        return 0;
    }
    for fd in 0..DESCRIPTORS {
        let dentry = files::by_fd(current, fd).f_path().dentry();
        let linked_from = dentry.hashed();
        if linked_from == 0 {
            continue;
        }
        let mut sample = NameSample { hash: u64::from(dentry.hash_len() as u32), linked_from };
        // SAFETY: the sample is live and of this size. What does not fit into the reader's buffer is not needed.
        unsafe {
            generated::bpf_seq_write(seq, ptr::from_mut(&mut sample).cast::<c_void>(), size_of::<NameSample>() as u32)
        };
    }
    0
}

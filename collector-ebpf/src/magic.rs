//! The links of `/proc` that have no text: `/proc/PID/root` leads straight into another process's tree.

use crate::files;
use crate::kernel::{Place as _, inode, proc_inode, task_struct};
use crate::path::Spot;
use crate::task;

const PROC_SUPER_MAGIC: u64 = 0x9fa0;

/// A short name: its first bytes, and how many it has.
type Name = (u64, u64);

#[inline(always)]
fn is(name: Name, wanted: &[u8]) -> bool {
    let mut word = [0; 8];
    word[..wanted.len()].copy_from_slice(wanted);
    // A NUL stands behind the name, and anything behind that.
    let bits = wanted.len() as u32 * 8;
    let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    name.1 == wanted.len() as u64 && name.0 & mask == u64::from_le_bytes(word)
}

/// Where the link of a process's directory leads.
#[inline(always)]
pub fn leads_to(link: inode, name: Name) -> Option<Spot> {
    let here = proc_inode::at(0).inode().address;
    let entry = proc_inode::at(link.address.wrapping_sub(here));
    if link.sb().magic() != PROC_SUPER_MAGIC || entry.pid().is_null() {
        return None;
    }
    let task = task::of_pid(entry.pid());
    let at = if is(name, b"root") {
        task.fs().root()
    } else if is(name, b"cwd") {
        task.fs().pwd()
    } else if is(name, b"exe") {
        task.mm().exe_file().f_path()
    } else if name.0 as u8 >= b'0' && name.0 as u8 <= b'9' {
        files::by_fd(task, entry.fd()).f_path()
    } else {
        return None;
    };
    Some(Spot::of(at))
}

/// Writes the number of the own process in the pid namespace that this `/proc` shows, when the link is `/proc/self`; says
/// how many bytes it takes, 0 for any other link.
#[inline(always)]
pub fn own_number(link: inode, name: Name, to: *mut u8) -> i64 {
    if link.sb().magic() != PROC_SUPER_MAGIC || !is(name, b"self") {
        return 0;
    }
    let level = link.sb().private().pid_ns().level() & 31;
    let own = task_struct::current().group_leader().thread_pid();
    let mut number = own.numbers().nth(u64::from(level)).nr();
    if number == 0 {
        return 0;
    }
    // At most seven digits: the kernel's highest pid is 4 194 304.
    let mut digits = 0u64;
    let mut len = 0;
    for _ in 0..7 {
        if number == 0 {
            break;
        }
        digits = digits << 8 | u64::from(number % 10 + u32::from(b'0'));
        number /= 10;
        len += 1;
    }
    // SAFETY: the text has room for far more than 8 bytes, and is aligned to 8.
    unsafe { to.cast::<u64>().write_volatile(digits.to_le()) };
    len
}

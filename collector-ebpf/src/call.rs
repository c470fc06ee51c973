//! System calls that take names: what was passed, kept from the call's entry to its exit, where it is known whether it
//! came to anything and what became of it.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::macros::map;
use aya_ebpf::maps::HashMap;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{Drop, FileFacts, RENAME_EXCHANGE};

use crate::compat;
use crate::exact::{self, Exact};
use crate::kernel::{Place as _, inode};
use crate::open::SYS_EXIT_RET;
use crate::record::Tail;
use crate::ring;
use crate::walk::{self, CWD, outcome};

/// Where the arguments of a `sys_enter_*` tracepoint begin, eight bytes each.
const SYS_ENTER_ARGS: usize = 16;

const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
const AT_SYMLINK_FOLLOW: u32 = 0x400;

/// Which arguments of a system call say what: their positions, from 0.
#[derive(Clone, Copy)]
pub struct Layout {
    /// The first name and the directory it starts from.
    pub first: Name,
    /// The second.
    pub second: Name,
    /// `AT_*` or `RENAME_*` flags.
    pub flags: Option<usize>,
    /// Whether a symbolic link at the end of the first name is followed.
    pub follow: Follow,
    /// The name of an extended attribute.
    pub attribute: Option<usize>,
    /// Whether the first name is looked up before the call: it will be gone, or changed.
    pub before: bool,
}

#[derive(Clone, Copy)]
pub enum Name {
    None,
    /// From the working directory.
    Plain(usize),
    /// From a directory's descriptor.
    At(usize, usize),
    /// An open file.
    Open(usize),
}

#[derive(Clone, Copy)]
pub enum Follow {
    Always,
    Never,
    /// `AT_SYMLINK_FOLLOW` and `AT_SYMLINK_NOFOLLOW` decide; with neither, this.
    Asked(bool),
}

impl Layout {
    pub const NOTHING: Layout = Layout {
        first: Name::None,
        second: Name::None,
        flags: None,
        follow: Follow::Never,
        attribute: None,
        before: false,
    };
}

/// A name as it was passed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Passed {
    /// An address in the process's memory; 0: the descriptor is of the file itself.
    pub name: u64,
    pub dirfd: i32,
    pub follow: u32,
}

/// What a call was passed, and what it found.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Call {
    pub first: Passed,
    pub second: Passed,
    /// Where the name of an extended attribute lies.
    pub attribute: u64,
    pub before: Before,
    pub flags: u32,
    pub zero: u32,
}

/// What the first name stood for before the call; zeros when the kernel had not yet looked.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Before {
    pub ino: u64,
    pub dev: u32,
    pub uid: u32,
    pub gid: u32,
    pub links: u32,
    pub mode: u32,
    pub zero: u32,
}

impl Before {
    #[inline(always)]
    fn of(inode: inode) -> Self {
        Before {
            ino: inode.ino(),
            dev: inode.sb().dev(),
            uid: inode.uid(),
            gid: inode.gid(),
            links: inode.nlink(),
            mode: u32::from(inode.mode()),
            zero: 0,
        }
    }
}

/// By thread. A thread that never comes out of a call keeps its place.
#[map]
static CALLS: HashMap<u64, Call> = HashMap::with_max_entries(8192, 0);

/// At a call's entry.
#[inline(always)]
pub fn begin(ctx: &TracePointContext, layout: Layout) -> u32 {
    let flags = layout.flags.map_or(0, |n| argument(ctx, n) as u32);
    let follow = match layout.follow {
        Follow::Always => true,
        Follow::Never => false,
        Follow::Asked(otherwise) => flags & AT_SYMLINK_FOLLOW != 0 || (otherwise && flags & AT_SYMLINK_NOFOLLOW == 0),
    };
    exact::forget();
    let taken = compat::taken();
    let first = passed(ctx, layout.first, follow, taken);
    let before = Before::of(if layout.before { first.walk().inode() } else { inode::at(0) });
    let call = Call {
        first,
        second: passed(ctx, layout.second, false, taken),
        attribute: layout.attribute.map_or(0, |n| argument(ctx, n) & taken),
        before,
        flags,
        zero: 0,
    };
    if CALLS.insert(bpf_get_current_pid_tgid(), call, 0).is_err() {
        ring::count_drop(Drop::MapFull);
    }
    0
}

/// At its exit: what it was passed, when it came to something.
#[inline(always)]
pub fn end(ctx: &TracePointContext) -> Option<Call> {
    let thread = bpf_get_current_pid_tgid();
    // SAFETY: the map's own element; no other thread has this key.
    let call = unsafe { *CALLS.get_ptr(thread)? };
    let _ = CALLS.remove(thread);
    // SAFETY: within the tracepoint's arguments.
    let failed = unsafe { ctx.read_at::<i64>(SYS_EXIT_RET) }.unwrap_or(-1) != 0;
    if failed { None } else { Some(call) }
}

/// Within a call: what its first name stands for, by the kernel's own word.
#[inline(always)]
pub fn found_before(found: inode) {
    if let Some(call) = CALLS.get_ptr_mut(bpf_get_current_pid_tgid()) {
        // SAFETY: the map's own element; no other thread has this key.
        unsafe { (*call).before = Before::of(found) };
    }
}

/// Within a rename: whether the two names change places.
#[inline(always)]
pub fn exchanges() -> bool {
    // SAFETY: the map's own element; no other thread has this key.
    CALLS.get_ptr(bpf_get_current_pid_tgid()).is_some_and(|call| unsafe { (*call).flags } & RENAME_EXCHANGE != 0)
}

#[inline(always)]
fn argument(ctx: &TracePointContext, n: usize) -> u64 {
    // SAFETY: system calls have at most six arguments, and their tracepoints all that they have.
    unsafe { ctx.read_at(SYS_ENTER_ARGS + n * 8) }.unwrap_or(0)
}

#[inline(always)]
fn passed(ctx: &TracePointContext, name: Name, follow: bool, taken: u64) -> Passed {
    let follow = u32::from(follow);
    match name {
        Name::None => Passed { name: 0, dirfd: CWD, follow },
        Name::Plain(n) => Passed { name: argument(ctx, n) & taken, dirfd: CWD, follow },
        Name::At(fd, n) => Passed { name: argument(ctx, n) & taken, dirfd: argument(ctx, fd) as i32, follow },
        Name::Open(fd) => Passed { name: 0, dirfd: argument(ctx, fd) as i32, follow },
    }
}

/// What a walk along a name came to; good until the next walk.
#[derive(Clone, Copy)]
pub struct Walked {
    came: u64,
    name: u64,
}

impl Call {
    /// One that is not made by a system call.
    #[inline(always)]
    pub fn of(first: Passed, second: Passed, looks_before: bool, flags: u32) -> Self {
        let before = Before::of(if looks_before { first.walk().inode() } else { inode::at(0) });
        Call { first, second, attribute: 0, before, flags, zero: 0 }
    }

    /// What became of the first name.
    #[inline(always)]
    pub fn first(&self) -> Walked {
        match exact::of_call() {
            Some(both) => self.first.walk_unless(&both.first),
            None => self.first.walk(),
        }
    }

    /// What became of the second.
    #[inline(always)]
    pub fn second(&self) -> Walked {
        match exact::of_call() {
            Some(both) => self.second.walk_unless(&both.second),
            None => self.second.walk(),
        }
    }
}

impl Passed {
    /// What the kernel itself said, if it did; else what the name comes to.
    #[inline(always)]
    pub fn walk_unless(self, known: &Exact) -> Walked {
        match walk::take(known) {
            outcome::LOST => self.walk(),
            came => Walked { came, name: self.name },
        }
    }

    #[inline(always)]
    pub fn walk(self) -> Walked {
        Walked { came: walk::walk(self.dirfd, self.name, self.follow), name: self.name }
    }
}

impl Walked {
    /// What was found; null for nothing.
    #[inline(always)]
    pub fn inode(self) -> inode {
        walk::found(self.came)
    }

    /// Fills in what was found and appends its path.
    #[inline(always)]
    pub fn describe(self, facts: &mut FileFacts, tail: Tail) {
        walk::describe(self.came, self.name, facts, tail);
    }
}

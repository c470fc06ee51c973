//! Permissions, owners, extended attributes and lengths that are set. What was before is looked up at the call's entry,
//! where the kernel may not have met the name yet: then it is not known.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{AttributeRecord, kind};

use crate::call::{self, Call, Follow, Layout, Name};
use crate::kernel::task_struct;
use crate::record::{Record, Slot, header};

const KEEPS: Layout = Layout { before: true, ..Layout::NOTHING };

/// The entry of chmod(name), chown(name) and truncate(name).
#[tracepoint]
pub fn attribute_plain(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::Plain(0), follow: Follow::Always, ..KEEPS })
}

/// The entry of lchown(name).
#[tracepoint]
pub fn attribute_link(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::Plain(0), ..KEEPS })
}

/// The entry of fchmod(file), fchown(file) and ftruncate(file).
#[tracepoint]
pub fn attribute_open(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::Open(0), ..KEEPS })
}

/// The entry of fchmodat(directory, name), which has no flags.
#[tracepoint]
pub fn attribute_at(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::At(0, 1), follow: Follow::Always, ..KEEPS })
}

/// The entry of fchmodat2(directory, name, mode, flags).
#[tracepoint]
pub fn mode_at2(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::At(0, 1), flags: Some(3), follow: Follow::Asked(true), ..KEEPS })
}

/// The entry of fchownat(directory, name, user, group, flags).
#[tracepoint]
pub fn owner_at(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::At(0, 1), flags: Some(4), follow: Follow::Asked(true), ..KEEPS })
}

/// The entry of setxattr(name, attribute) and removexattr(name, attribute).
#[tracepoint]
pub fn xattr_plain(ctx: TracePointContext) -> u32 {
    let layout = Layout { first: Name::Plain(0), follow: Follow::Always, attribute: Some(1), ..Layout::NOTHING };
    call::begin(&ctx, layout)
}

/// The entry of lsetxattr and lremovexattr.
#[tracepoint]
pub fn xattr_link(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::Plain(0), attribute: Some(1), ..Layout::NOTHING })
}

/// The entry of fsetxattr(file, attribute) and fremovexattr(file, attribute).
#[tracepoint]
pub fn xattr_open(ctx: TracePointContext) -> u32 {
    call::begin(&ctx, Layout { first: Name::Open(0), attribute: Some(1), ..Layout::NOTHING })
}

/// The entry of setxattrat(directory, name, flags, attribute) and removexattrat.
#[tracepoint]
pub fn xattr_at(ctx: TracePointContext) -> u32 {
    let follow = Follow::Asked(true);
    let layout = Layout { first: Name::At(0, 1), flags: Some(2), follow, attribute: Some(3), ..Layout::NOTHING };
    call::begin(&ctx, layout)
}

/// The exit of the chmod family.
#[tracepoint]
pub fn mode(ctx: TracePointContext) -> u32 {
    let Some(call) = call::end(&ctx) else { return 0 };
    changed(&call, kind::MODE)
}

/// The exit of the chown family.
#[tracepoint]
pub fn owner(ctx: TracePointContext) -> u32 {
    let Some(call) = call::end(&ctx) else { return 0 };
    changed(&call, kind::OWNER)
}

/// The exit of the setxattr family.
#[tracepoint]
pub fn xattr_set(ctx: TracePointContext) -> u32 {
    let Some(call) = call::end(&ctx) else { return 0 };
    changed(&call, kind::XATTR_SET)
}

/// The exit of the removexattr family.
#[tracepoint]
pub fn xattr_removed(ctx: TracePointContext) -> u32 {
    let Some(call) = call::end(&ctx) else { return 0 };
    changed(&call, kind::XATTR_REMOVED)
}

/// The exit of truncate and ftruncate. The length of a file without a name is its owner's affair.
#[tracepoint]
pub fn size(ctx: TracePointContext) -> u32 {
    let Some(call) = call::end(&ctx) else { return 0 };
    if call.before.ino != 0 && call.before.links == 0 { 0 } else { changed(&call, kind::SIZE) }
}

#[inline(always)]
fn changed(call: &Call, kind: u16) -> u32 {
    let Some(record) = Record::<AttributeRecord>::begin(Slot::Hook) else { return 0 };
    let head = &mut *record.head;
    let walked = call.first();
    let file = walked.inode();
    walked.describe(&mut head.file, record.tail);
    head.size = file.size();
    head.uid = file.uid();
    head.gid = file.gid();
    let before = &call.before;
    let same = before.ino != 0 && before.ino == head.file.ino && u64::from(before.dev) == head.file.dev;
    head.uid_before = before.uid;
    head.gid_before = before.gid;
    head.mode_before = before.mode as u16;
    head.before_known = u16::from(same);
    head.name_len = if call.attribute == 0 { 0 } else { record.tail.push_user_str(call.attribute) as u16 };
    head.zero = 0;
    head.header = header(kind, task_struct::current());
    head.header.len = size_of::<AttributeRecord>() as u32 + record.tail.used();
    record.submit();
    0
}

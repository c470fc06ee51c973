//! What an event costs to keep. An attacker chooses how long arguments and paths are, so that a bound on the number of
//! events alone would bound nothing.

use lanner_core::event::{
    Account, AttributeChange, Batch, ContainerInfo, Context, Dns, Event, Exec, File, Image, Label, Payload, Task, Text,
};

/// About how many bytes of memory these events take.
pub(super) fn of_batch(batch: &Batch) -> usize {
    batch.events.iter().map(of).sum()
}

/// About how many bytes of memory the event takes.
pub(super) fn of(event: &Event) -> usize {
    let more = match &event.payload {
        Payload::Exec(exec) | Payload::Alive(exec) => size_of::<Exec>() + of_task(&exec.task) + of_image(&exec.image),
        Payload::Fork(fork) => size_of_val(fork.as_ref()) + of_task(&fork.task),
        Payload::Open(open) => {
            let name = open.passed.as_ref().and_then(|passed| passed.name.as_ref());
            size_of_val(open.as_ref()) + of_file(&open.file) + name.map_or(0, of_text)
        }
        Payload::MemFd(memfd) => of_file(&memfd.file),
        Payload::Rename(rename) => size_of_val(rename.as_ref()) + of_file(&rename.file) + of_file(&rename.from),
        Payload::Link(link) => size_of_val(link.as_ref()) + of_file(&link.file) + of_file(&link.target),
        Payload::Unlink(unlink) => size_of_val(unlink.as_ref()) + of_file(&unlink.file),
        Payload::Make(make) => size_of_val(make.as_ref()) + of_file(&make.file),
        Payload::Attribute(attribute) => {
            let name = match &attribute.change {
                AttributeChange::Extended { name, .. } => of_text(name),
                _ => 0,
            };
            size_of_val(attribute.as_ref()) + of_file(&attribute.file) + name
        }
        Payload::Unix(unix) => size_of_val(unix.as_ref()) + of_text(unix.name.text()),
        Payload::Udp(udp) => size_of_val(udp.as_ref()),
        Payload::Dns(dns) => size_of_val(dns.as_ref()) + of_dns(dns),
        Payload::Credentials(change) => {
            let groups = size_of_val(change.before.groups.as_slice()) + size_of_val(change.now.groups.as_slice());
            size_of_val(change.as_ref()) + groups
        }
        Payload::Root(change) => size_of_val(change.as_ref()) + of_file(&change.now) + of_file(&change.before),
        Payload::Mount(mount) => {
            let texts = [&mount.source, &mount.fs_type, &mount.key, &mount.options].map(of_text);
            size_of_val(mount.as_ref()) + of_file(&mount.place) + texts.iter().sum::<usize>()
        }
        Payload::Trace(trace) => size_of_val(trace.as_ref()) + trace.file.as_ref().map_or(0, of_file),
        Payload::Kernel(load) => {
            let files = load.file.iter().chain(&load.ramdisk).map(of_file).sum::<usize>();
            size_of_val(load.as_ref()) + files + of_text(&load.words)
        }
        Payload::Bpf(bpf) => size_of_val(bpf.as_ref()) + of_text(&bpf.name),
        Payload::Container(info) => size_of::<ContainerInfo>() + of_container(info),
        Payload::Digest(digest) => size_of_val(digest.as_ref()) + of_file(&digest.file),
        Payload::Seal(seal) => size_of_val(seal.as_ref()) + of_file(&seal.file),
        Payload::Accounts(accounts) => {
            let names = |list: &[Account]| size_of_val(list) + list.iter().map(|a| of_text(&a.name)).sum::<usize>();
            size_of_val(accounts.as_ref()) + names(&accounts.users) + names(&accounts.groups)
        }
        Payload::Comm(comm) => of_text(&comm.old) + of_text(&comm.new),
        Payload::UringOp(op) => {
            size_of_val(op.as_ref()) + op.path.as_ref().map_or(0, of_text) + op.second.as_ref().map_or(0, of_text)
        }
        Payload::Exit(_)
        | Payload::Connect(_)
        | Payload::Accept(_)
        | Payload::Listen(_)
        | Payload::Close(_)
        | Payload::Traffic(_)
        | Payload::Socket(_)
        | Payload::Bind(_)
        | Payload::Namespace(_)
        | Payload::Signal(_)
        | Payload::Stdio(_)
        | Payload::UringSetup(_)
        | Payload::Compat(_) => 0,
    };
    size_of::<Event>() + more
}

/// A text's bytes and the counters of its allocation.
fn of_text(text: &Text) -> usize {
    text.as_bytes().len() + 2 * size_of::<usize>()
}

fn of_file(file: &File) -> usize {
    of_text(&file.path)
}

fn of_dns(dns: &Dns) -> usize {
    let reply = dns.reply.as_ref().map_or(0, |reply| {
        let names: usize = reply.names.iter().map(|name| size_of::<Text>() + of_text(name)).sum();
        size_of_val(reply.addresses.as_slice()) + names
    });
    of_text(&dns.name) + reply
}

fn of_task(task: &Task) -> usize {
    let optional =
        task.context.tty.as_ref().map_or(0, of_text) + task.context.container.as_ref().map_or(0, |id| of_text(&id.0));
    let optional = optional + task.context.root_path.as_ref().map_or(0, of_text);
    let context = size_of::<Context>() + 2 * size_of::<usize>();
    context
        + of_text(&task.comm)
        + of_text(&task.context.cgroup)
        + size_of_val(task.context.pid_namespaces.as_slice())
        + optional
}

fn of_image(image: &Image) -> usize {
    let args: usize = image.args.list.iter().chain(&image.env.list).map(|arg| size_of::<Text>() + of_text(arg)).sum();
    of_file(&image.exe) + of_text(&image.cwd) + image.script.as_ref().map_or(0, of_file) + args
}

fn of_container(info: &ContainerInfo) -> usize {
    let image = [&info.image.reference, &info.image.digest, &info.image.id];
    let own = [&info.id.0, &info.why, &info.runtime, &info.name];
    let pod = info.pod.as_ref().map_or(0, |pod| {
        [&pod.name, &pod.namespace, &pod.uid, &pod.source].map(of_text).iter().sum::<usize>() + of_labels(&pod.labels)
    });
    let mounts: usize = info.mounts.iter().map(|m| size_of_val(m) + of_text(&m.host) + of_text(&m.container)).sum();
    own.into_iter().chain(image).map(of_text).sum::<usize>() + pod + mounts + of_labels(&info.labels)
}

fn of_labels(labels: &[Label]) -> usize {
    labels.iter().map(|label| size_of_val(label) + of_text(&label.key) + of_text(&label.value)).sum()
}

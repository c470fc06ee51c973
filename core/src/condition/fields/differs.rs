//! In what fields differ from Falco's of the same name.

const DIFFERS: &[(&str, &str)] = &[
    (
        "evt.type",
        "One event stands for a whole call. Names of the same doing are one: `open`, `openat`, `openat2` and `creat`; \
         `execve` and `execveat`; `accept` and `accept4`; `clone`, `fork` and `vfork`; and so on. `alive` tells what ran \
         before the sensor, and raises no signals.",
    ),
    ("syscall.type", "As evt.type."),
    ("evt.dir", "Both `<` and `>` hold for every event, for it stands for the call's beginning and for its end."),
    ("evt.time", "Since the node booted; the time of day is not part of an event."),
    ("evt.reltime", "Since the node booted, not since the capture began."),
    ("evt.reltime.s", "Since the node booted, not since the capture began."),
    ("evt.reltime.ns", "Since the node booted, not since the capture began."),
    ("evt.num", "Numbered by the node's collector; a gap is a loss that is told."),
    ("evt.arg", "Only the arguments that events carry; numbers in brackets are Falco's positions."),
    ("evt.args", "Only the arguments that events carry."),
    ("evt.info", "Only the arguments that events carry."),
    ("evt.rawres", "0 for calls whose result is not told, since only those that did not fail are seen."),
    ("evt.failed", "Opens that fail are not told, nor are other calls on files."),
    ("evt.res", "Opens that fail are not told, nor are other calls on files."),
    ("evt.category", "Only file, net, process and memory."),
    ("proc.exepath", "As the kernel resolved the file that it loaded, in the process's mount namespace."),
    ("proc.tty", "1 for terminals whose device number does not follow from their name."),
    ("proc.duration", "By the kernel's start time, in boot time."),
    ("proc.stdin.type", "Terminals and other devices are `file`."),
    ("proc.stdout.type", "Terminals and other devices are `file`."),
    ("proc.stderr.type", "Terminals and other devices are `file`."),
    ("proc.aname", "Follows who started whom: a process that was adopted keeps its first parent."),
    ("proc.apid", "Follows who started whom: a process that was adopted keeps its first parent."),
    ("proc.pname", "The first parent, not the one that adopted it."),
    ("proc.env", "Only the variables that the sensor is set to read; passwords in addresses are left out."),
    ("proc.vpgid", "Absent when the leader lives in a pid namespace further in."),
    ("proc.vsid", "Absent when the leader lives in a pid namespace further in."),
    ("container.mount", "Without how mounts propagate; only what comes from the host."),
    ("fd.name", "As the kernel resolved the file, not as the caller spelled it."),
    ("fd.nameraw", "Of an open that was seen at its system call; another thread may have changed it meanwhile."),
    ("fs.path.nameraw", "Of opens alone."),
    ("fd.cip.name", "What a name server answered on this node, in the same network namespace; nothing is looked up."),
    ("fd.sip.name", "What a name server answered on this node, in the same network namespace; nothing is looked up."),
    ("fd.lip.name", "What a name server answered on this node, in the same network namespace; nothing is looked up."),
    ("fd.rip.name", "What a name server answered on this node, in the same network namespace; nothing is looked up."),
    ("fd.net", "The same as fd.ip: both take addresses and networks."),
    ("fd.typechar", "Only f, d, 4 and 6, of what events are about."),
    ("fd.type", "Only file, directory, ipv4 and ipv6, of what events are about."),
    (
        "container.name",
        "Absent as long as nobody has told it; containers that only containerd knows have their id for a name.",
    ),
    ("container.image.id", "Whole, not its first 12 characters."),
    ("container.mounts", "Without how mounts propagate; only what comes from the host."),
    ("container.start_ts", "When the container was first seen, since the node booted."),
    ("container.duration", "Since the container was first seen."),
    ("user.name", "By the container's or the node's `/etc/passwd`; `<NA>` where that does not have it."),
    ("user.loginname", "By the node's `/etc/passwd`, in containers too: it is there that people log in."),
    ("group.name", "By the container's or the node's `/etc/group`; `<NA>` where that does not have it."),
];

pub(super) fn from_falco(name: &str) -> Option<&'static str> {
    DIFFERS.iter().find(|(field, _)| *field == name).map(|(_, how)| *how)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Field;

    #[test]
    fn only_fields_that_there_are_differ() {
        for (name, _) in DIFFERS {
            assert!(Field::find(name).is_some(), "there is no field {name}: drop its row");
        }
    }
}

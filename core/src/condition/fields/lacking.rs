//! Fields of Falco's that Lanner's events do not carry. They are known so that a rule which needs one is told why it
//! cannot work, and not asked whether it meant something else.

/// What the fields of a row need.
const LACKING: &[(&str, &[&str])] = &[
    (
        "the addresses of containers are not known",
        &["container.ip", "container.cni.json", "k8s.pod.ip", "k8s.pod.cni.json"],
    ),
    (
        "the health checks of containers are not known",
        &["container.healthcheck", "container.liveness_probe", "container.readiness_probe"],
    ),
    (
        "what only the Kubernetes API server knows is not asked for",
        &["k8s.ns.id", "k8s.ns.label", "k8s.ns.labels", "k8s.rc", "k8s.rs", "k8s.svc", "k8s.deployment", "k8smeta"],
    ),
    ("how a container's mounts propagate is not known", &["container.mount.mode", "container.mount.propagation"]),
    (
        "the layer of a container's file system that a file lies in is known of programs alone",
        &["fd.is_upper_layer", "fd.is_lower_layer"],
    ),
    (
        "a program's permissions and times are not known",
        &[
            "proc.is_exe_writable",
            "proc.exe_ino.ctime",
            "proc.exe_ino.mtime",
            "proc.exe_ino.ctime_duration_proc_start",
            "proc.exe_ino.ctime_duration_pidns_start",
        ],
    ),
    ("of sessions as a process sees them only the number is told", &["proc.vsid.name"]),
    ("of an ancestor's environment nothing is told", &["proc.aenv"]),
    (
        "the health checks of containers are not known",
        &["proc.is_container_healthcheck", "proc.is_container_liveness_probe", "proc.is_container_readiness_probe"],
    ),
    (
        "the use of resources is not measured",
        &[
            "proc.vmsize",
            "proc.vmrss",
            "proc.vmswap",
            "proc.fdopencount",
            "proc.fdlimit",
            "proc.fdusage",
            "thread.cpu",
            "thread.vmsize",
            "thread.vmrss",
            "thread.exectime",
            "thread.totexectime",
            "thread.pfmajor",
            "thread.pfminor",
        ],
    ),
    (
        "threads are not told apart",
        &["thread.vtid", "thread.ismain", "proc.nthreads", "proc.nchilds", "thread.nametid"],
    ),
    ("control groups are not kept per controller", &["thread.cgroup", "thread.cgroups"]),
    ("inheritable capabilities are not read", &["thread.cap_inheritable"]),
    (
        "the time of day is not part of an event",
        &[
            "evt.datetime",
            "evt.datetime.s",
            "evt.rawtime",
            "evt.rawtime.s",
            "evt.rawtime.ns",
            "evt.time.s",
            "evt.time.iso8601",
            "evt.hostname",
            "proc.pid.ts",
            "proc.ppid.ts",
            "container.image.created",
            "proc.pidns_init_start_ts",
        ],
    ),
    ("what is written and read is not kept", &["evt.buffer", "evt.buflen", "evt.rawarg", "syslog", "evt.is_syslog"]),
    (
        "events stand alone: no two of them are compared",
        &["evt.deltatime", "evt.latency", "evt.wait_latency", "evt.around", "evt.count.error", "evt.count.exit"],
    ),
    ("write `evt.type = ...` instead", &["evt.type.is"]),
    ("paths are told as the kernel resolved them: see fd.name", &["evt.abspath"]),
    ("there are no plugins", &["evt.pluginname", "evt.plugininfo", "evt.asynctype"]),
    (
        "tracing by chisels, polls of many descriptors and Mesos are not known",
        &["span", "evtin", "fdlist", "mesos", "marathon"],
    ),
    (
        "reading from and writing to open files is not seen",
        &["evt.is_io", "evt.is_io_read", "evt.is_io_write", "evt.io_dir", "evt.is_wait"],
    ),
    ("the names of services are not looked up", &["fd.cproto", "fd.sproto", "fd.lproto", "fd.rproto", "fd.proto"]),
    (
        "of all calls but open only paths that the kernel resolved are known, in the mount namespace of the process",
        &["fd.uid", "fs.path.sourceraw", "fs.path.targetraw"],
    ),
    (
        "what other descriptors of a process lead to is not known, beyond the first three: see proc.stdin.type",
        &["fd.types"],
    ),
    ("the home and shell of a user are not known", &["user.homedir", "user.shell"]),
];

/// The fields that are lacking, by the reason.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    LACKING.iter().copied()
}

/// Why events do not carry this field of Falco's; `None` when Falco has no such field either, or events do carry it.
pub(in crate::condition) fn why_lacking(name: &str) -> Option<&'static str> {
    LACKING.iter().find(|(_, names)| names.contains(&name)).map(|(why, _)| *why)
}

pub(super) fn is_class(class: &str) -> bool {
    LACKING.iter().flat_map(|(_, names)| *names).any(|name| name.split('.').next() == Some(class))
}

//! An event with all of its fields, as lines of JSON.

use lanner_core::event::{
    Attempt, Credentials, Event, File, Flow, Image, Namespaces, Payload, ProcessKey, Stdio, Task,
};
use serde_json::{Value, json};

use super::text::safe;

/// The lines, escaped and safe to show.
pub(crate) fn lines(event: &Event) -> Vec<String> {
    let text = serde_json::to_string_pretty(&value(event)).unwrap_or_default();
    text.lines().map(safe).collect()
}

fn value(event: &Event) -> Value {
    let header = &event.header;
    json!({
        "seq": header.seq,
        "time": header.time.0,
        "cpu": header.cpu,
        "process": key(header.process),
        "tid": header.tid,
        "origin": header.origin,
        event.payload.family(): payload(&event.payload),
    })
}

fn payload(payload: &Payload) -> Value {
    match payload {
        Payload::Exec(e) | Payload::Alive(e) => json!({ "task": task(&e.task), "image": image(&e.image) }),
        Payload::Fork(f) => json!({ "child": key(f.child), "task": task(&f.task) }),
        Payload::Exit(e) => json!({ "code": e.code, "signal": e.signal }),
        Payload::Open(o) => json!({
            "file": file(&o.file), "fd": o.fd, "read": o.access.read, "write": o.access.write, "created": o.created,
            "written_before": o.written_before, "directory": o.directory,
        }),
        Payload::Connect(c) => json!({ "flow": flow(&c.flow), "attempt": match c.attempt {
            Attempt::Started => json!("started"),
            Attempt::Established => json!("established"),
            Attempt::Failed(errno) => json!({ "failed": errno }),
        } }),
        Payload::Accept(a) => json!({ "flow": flow(&a.flow) }),
        Payload::Listen(l) => json!({ "local": l.local.to_string(), "netns": l.netns }),
        Payload::Close(c) => json!({
            "flow": flow(&c.flow), "outgoing": c.outgoing, "sent": c.sent, "received": c.received,
            "lasted": c.lasted.as_secs_f64(),
        }),
        Payload::Namespace(n) => json!({
            "how": n.how, "now": namespaces(&n.now), "before": namespaces(&n.before),
        }),
        Payload::MemFd(m) => json!({ "file": file(&m.file), "fd": m.fd }),
    }
}

fn key(key: ProcessKey) -> Value {
    json!({ "pid": key.pid, "start": key.start.0 })
}

fn task(task: &Task) -> Value {
    json!({
        "parent": task.parent.map(key), "comm": task.comm, "ns_pid": task.ns_pid, "pid_namespaces": task.pid_namespaces,
        "creds": creds(&task.creds), "session": task.session, "tty": task.tty,
        "namespaces": namespaces(&task.namespaces), "cgroup": task.cgroup, "container": task.container,
    })
}

fn creds(creds: &Credentials) -> Value {
    json!({
        "uid": creds.uid, "euid": creds.euid, "gid": creds.gid, "egid": creds.egid, "login_uid": creds.login_uid,
        "cap_effective": format!("{:#x}", creds.cap_effective), "cap_permitted": format!("{:#x}", creds.cap_permitted),
    })
}

fn namespaces(ns: &Namespaces) -> Value {
    super::words::namespaces(ns).into_iter().map(|(name, inode)| (name.to_owned(), json!(inode))).collect()
}

fn image(image: &Image) -> Value {
    json!({
        "exe": file(&image.exe), "script": image.script, "args": image.args.list, "args_truncated": image.args.truncated,
        "cwd": image.cwd, "stdio": image.stdio.iter().map(stdio).collect::<Vec<_>>(),
    })
}

fn stdio(stdio: &Stdio) -> Value {
    json!({ "kind": stdio.kind, "ino": stdio.ino, "peer": stdio.peer.map(|p| p.to_string()) })
}

fn file(file: &File) -> Value {
    json!({
        "path": file.path, "dev": file.id.dev, "ino": file.id.ino, "truncated": file.truncated, "deleted": file.deleted,
    })
}

fn flow(flow: &Flow) -> Value {
    json!({
        "id": flow.id.0, "local": flow.local.to_string(), "remote": flow.remote.to_string(), "netns": flow.netns,
    })
}

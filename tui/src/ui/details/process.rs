//! Everything known of a process.

use std::collections::HashMap;
use std::net::SocketAddr;

use lanner_core::event::{ContainerInfo, Credentials, Gain, Image, Layer, Namespaces, Origin, ProcessKey, Task};
use lanner_core::graph::Process;

use super::super::known::flows::{FlowState, Line};
use super::super::scene::Scene;
use super::super::state::Subject;
use super::super::text::{count, shown};
use super::super::{when, words};
use super::sockets::Sockets;
use super::{MOST, Page};

/// Longer than any argument list that the sensor reads.
const ARGUMENTS: usize = 64 * 1024;

pub(super) fn write(page: &mut Page, scene: &Scene<'_>, key: ProcessKey, sockets: &mut Sockets) {
    let Some(process) = scene.graph.process(key) else {
        page.heading("Process");
        page.fact("", &format!("pid {} is not known: it ended long ago, or no event told of it", key.pid));
        return;
    };
    identity(page, scene, process);
    page.signals(key, scene);
    images(page, scene, process);
    family(page, scene, process);
    doings(page, scene, key, sockets);
    credentials(page, &process.task.context.creds);
    namespaces(page, scene, process);
}

fn identity(page: &mut Page, scene: &Scene<'_>, process: &Process) {
    let task: &Task = &process.task;
    page.heading(&format!("Process {}", words::who(process.key, scene)));
    page.fact(
        "pid",
        &match task.ns_pid {
            0 => process.key.pid.to_string(),
            own if own == process.key.pid => own.to_string(),
            own => format!("{}, which calls itself {own}", process.key.pid),
        },
    );
    let seen = match process.origin {
        Origin::Live => "",
        Origin::Backfill => " (its beginning was not seen)",
    };
    page.fact("started", &format!("{}{seen}", when::stamp(scene.node, process.key.start)));
    match process.ended.filter(|_| !scene.is_alive(process)) {
        Some(end) => {
            let how = match end.exit.signal {
                0 => format!("with {}", end.exit.code),
                signal => format!("by signal {signal}"),
            };
            let lasted = when::short(end.time.since(process.key.start));
            page.fact("ended", &format!("{} {how}, after {lasted}", when::stamp(scene.node, end.time)));
        }
        None => page.fact("alive", &format!("for {}", when::short(scene.now().since(process.key.start)))),
    }
    page.fact("comm", &shown(&task.comm, 64));
    match &task.context.container {
        Some(id) => {
            let title = scene.graph.container_info(id).and_then(ContainerInfo::title);
            let title = title.map(|title| format!("{}, ", shown(&title, 160))).unwrap_or_default();
            page.link("container", &format!("{title}{}", shown(id, 200)), Subject::Container(id.clone()));
        }
        None => page.fact("container", "none, as far as its control group tells"),
    }
    page.fact("cgroup", &shown(&task.context.cgroup, 1_000));
    let tty = task.context.tty.as_ref().map_or_else(|| "none".to_owned(), |t| shown(t, 64));
    page.fact("terminal", &format!("{tty}, session {}, process group {}", task.session, task.group));
}

fn images(page: &mut Page, scene: &Scene<'_>, process: &Process) {
    let images = scene.images(process);
    match (images, scene.image(process)) {
        ([], Some(inherited)) => {
            page.heading("Image, as its parent had it when it forked");
            image(page, inherited);
        }
        ([], None) => {
            page.heading("Image");
            page.fact("", "unknown");
        }
        (all, _) => {
            for (i, running) in all.iter().enumerate().rev() {
                let since = when::clock_millis(scene.node, running.since);
                page.heading(&match all.len() {
                    1 => format!("Image, since {since}"),
                    n => format!("Image {} of {n}, since {since}", i + 1),
                });
                image(page, &running.image);
                let script = running.image.script.as_ref();
                for (label, file) in [("SHA-256", Some(&running.image.exe)), ("of script", script)] {
                    if let Some(sha256) = file.and_then(|file| scene.graph.digest(file.id, running.since)) {
                        page.fact(label, &sha256.to_string());
                    }
                }
                page.event("told by", running.seq, scene);
            }
        }
    }
}

fn image(page: &mut Page, image: &Image) {
    let mut notes = String::new();
    if image.exe.is_memfd() {
        notes.push_str("  in memory only");
    }
    if image.layer == Some(Layer::Upper) {
        notes.push_str("  in a container's writable layer: not in its image, or changed since");
    }
    if image.compat {
        notes.push_str("  32-bit");
    }
    page.fact("executable", &format!("{}{notes}", words::file(&image.exe)));
    if image.exe.id.is_known() {
        page.fact("inode", &format!("{} on device {}", image.exe.id.ino, image.exe.id.dev));
    }
    if let Some(script) = &image.script {
        page.fact("script", &words::file(script));
        if script.id.is_known() {
            page.fact("inode", &format!("{} on device {}", script.id.ino, script.id.dev));
        }
    }
    for (i, argument) in image.args.list.iter().enumerate() {
        let label = if i == 0 { "arguments" } else { "" };
        page.fact(label, &shown(argument, ARGUMENTS));
    }
    if image.args.truncated {
        page.fact("", "… more than the sensor reads");
    }
    for (i, variable) in image.env.list.iter().enumerate() {
        page.fact(if i == 0 { "environment" } else { "" }, &shown(variable, 4_000));
    }
    if image.env.truncated {
        page.fact("", "… more variables than the sensor looks at, or longer ones");
    }
    if let Some(gain) = image.gain.filter(|gain| !gain.is_none()) {
        page.fact("it gave", &gained(gain));
    }
    let cwd = if image.cwd.is_empty() { "unknown".to_owned() } else { shown(&image.cwd, 4_000) };
    page.fact("cwd", &cwd);
    for (name, stdio) in ["stdin", "stdout", "stderr"].into_iter().zip(&image.stdio) {
        page.fact(name, &words::stdio(stdio));
    }
}

/// What running a file gave: who the process was before, and capabilities.
fn gained(gain: Gain) -> String {
    let was = |what: &str, id: Option<u32>| id.map(|id| format!("another {what}: it was {} before", words::user(id)));
    let capabilities = (gain.capabilities != 0).then(|| capabilities(gain.capabilities));
    let parts = [was("user", gain.user_before), was("group", gain.group_before), capabilities];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn credentials(page: &mut Page, creds: &Credentials) {
    page.heading("As whom");
    let pair = |real: u32, effective: u32| match real == effective {
        true => words::user(real),
        false => format!("{}, acting as {}", words::user(real), words::user(effective)),
    };
    page.fact("user", &pair(creds.uid, creds.euid));
    page.fact("group", &pair(creds.gid, creds.egid));
    // Nobody is a user of that name.
    page.fact("login user", &creds.login_uid.map_or_else(|| "none".to_owned(), words::user));
    page.fact("may", &capabilities(creds.cap_effective));
    if creds.cap_permitted != creds.cap_effective {
        page.fact("may take", &capabilities(creds.cap_permitted));
    }
}

fn capabilities(bits: u64) -> String {
    let names = words::capabilities(bits);
    match names.len() {
        0 => "no capability".to_owned(),
        n if n == words::ALL_CAPABILITIES => format!("all {n} capabilities"),
        n => format!("{}: {}", count(n, "capability", "capabilities"), names.join(", ")),
    }
}

fn namespaces(page: &mut Page, scene: &Scene<'_>, process: &Process) {
    page.heading("Namespaces");
    root(page, scene, process);
    let host: Option<Namespaces> = scene.graph.host_namespaces(process.key).or_else(|| {
        // Outside of containers the host's are those of pid 1.
        scene.graph.by_pid(1).map(|init| init.task.context.namespaces)
    });
    let hosts = host.map(|h| words::namespaces(&h));
    for (i, (name, inode)) in words::namespaces(&process.task.context.namespaces).into_iter().enumerate() {
        let whose = match hosts.map(|h| h[i].1) {
            _ if inode == 0 => "unknown".to_owned(),
            None | Some(0) => inode.to_string(),
            Some(of_host) if of_host == inode => format!("{inode}  the host's"),
            Some(_) => format!("{inode}  its own"),
        };
        page.fact(name, &whose);
    }
}

/// Its root directory, where more is known of it than that it is there.
fn root(page: &mut Page, scene: &Scene<'_>, process: &Process) {
    let whose = match scene.graph.has_host_root(process.key) {
        Some(true) => "the host's",
        Some(false) => "not the host's",
        None => "",
    };
    let path = process.task.context.root_path.as_ref().map(|path| shown(path, 4_000)).unwrap_or_default();
    let told = [path.as_str(), whose].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ");
    if !told.is_empty() {
        page.fact("root", &told);
    }
}

fn doings(page: &mut Page, scene: &Scene<'_>, key: ProcessKey, sockets: &mut Sockets) {
    let peers = scene.graph.peers_of(key);
    let netns = scene.graph.process(key).map_or(0, |p| p.task.context.namespaces.net);
    let files = scene.graph.written_by(key);
    let reached = scene.graph.reached_by(key);
    let flows = sockets.of(scene, key);
    let listening: Vec<&&Line> = flows.iter().filter(|line| line.state == FlowState::Listening).collect();
    if !peers.is_empty() || !files.is_empty() || !reached.is_empty() || !listening.is_empty() {
        page.heading("What it did");
    }
    for line in listening.iter().take(MOST) {
        page.link("listens", &format!("on {}", line.local), Subject::Flow(line.key.clone()));
    }
    let mut latest: HashMap<SocketAddr, &Line> = HashMap::new();
    for line in &flows {
        let known = latest.entry(line.remote).or_insert(line);
        if (line.is_open(), line.last) >= (known.is_open(), known.last) {
            *known = line;
        }
    }
    for peer in peers.iter().take(MOST) {
        let address = words::address(*peer, netns, scene.graph);
        match latest.get(peer) {
            Some(line) if line.is_open() => page.link("open to", &address, Subject::Flow(line.key.clone())),
            Some(line) => page.link("connected", &address, Subject::Flow(line.key.clone())),
            None => page.fact("connected", &address),
        }
    }
    for server in reached.iter().take(MOST) {
        page.process("reached", *server, scene);
    }
    for file in files.iter().filter_map(|id| scene.graph.file(*id)).take(MOST) {
        match scene.files.number_of(file) {
            Some(number) => page.link("wrote", &words::file(file), Subject::File(number)),
            None => page.fact("wrote", &words::file(file)),
        }
    }
    let lists = [peers.len(), files.len(), reached.len(), listening.len()];
    let left: usize = lists.iter().map(|len| len.saturating_sub(MOST)).sum();
    if left > 0 {
        page.fact("", &format!("and {left} more"));
    }
}

fn family(page: &mut Page, scene: &Scene<'_>, process: &Process) {
    page.heading("Family");
    let mut parents = 0;
    for (i, ancestor) in scene.graph.ancestors(process.key).enumerate() {
        page.process(if i == 0 { "parent" } else { "its parent" }, ancestor.key, scene);
        parents += 1;
    }
    if parents == 0 {
        page.fact("parent", "unknown");
    }
    let children: Vec<_> = process.children.iter().filter(|key| key.start <= scene.now()).collect();
    for (i, child) in children.iter().take(MOST).enumerate() {
        page.process(if i == 0 { "children" } else { "" }, **child, scene);
    }
    if children.len() > MOST {
        page.fact("", &format!("and {} more", children.len() - MOST));
    }
}

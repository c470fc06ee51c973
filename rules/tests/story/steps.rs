//! What the hero of a story may do.

use std::net::SocketAddr;

use lanner_core::event::*;

use super::{OTHER, Story};
use crate::world::HOST;

/// The bytes' sum: the same number for the same path, as a file keeps its number.
fn number_of(path: &str) -> u64 {
    500_000 + path.bytes().fold(7, |hash: u64, b| hash.wrapping_mul(31) + u64::from(b)) % 100_000
}

fn file(path: &str) -> File {
    File::new(path, 1, number_of(path))
}

fn call(family: Family, name: &str) -> Call {
    Call::of(family, name).unwrap_or_else(|| panic!("{name:?} is none of {}", family.name()))
}

impl Story {
    pub(super) fn step(&mut self, step: &str) {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
        if self.process(verb, rest, &words) || self.file(verb, rest, &words) || self.network(verb, &words) {
            return;
        }
        self.privilege(verb, &words);
    }

    fn process(&mut self, verb: &str, rest: &str, words: &[&str]) -> bool {
        match verb {
            // run EXE ARGS: as a child, called by the file's name.
            "run" => {
                let name = words[0].rsplit('/').next().unwrap();
                let line = format!("{name}{}", &rest[words[0].len()..]);
                self.hero = self.world.spawn(&self.hero.clone(), words[0], &line);
            }
            // exec EXE: in the same process.
            "exec" => {
                self.world.exec(&self.hero.clone(), words[0], rest);
            }
            // enter EXE: started in the container by the runtime, without a terminal.
            "enter" => self.hero = self.world.enter(&self.shim.clone(), &self.hero.clone(), words[0], false),
            // as NAME EXE: a child whose first argument is NAME.
            "as" => {
                let name = if words[0] == "NOTHING" { String::new() } else { words[0].replace('_', " ") };
                self.odd(words[1], |image| image.args.list[0] = Text::from(name.as_str()));
            }
            // env VARIABLE EXE
            "env" => {
                let variable = Text::from(words[0]);
                self.odd(words[1], |image| image.env.list = vec![variable]);
            }
            // setuid EXE: run by a user who is root by it.
            "setuid" => {
                let gain = Gain { user_before: Some(1000), group_before: None, capabilities: 0 };
                self.odd(words[0], |image| image.gain = Some(gain));
            }
            "name" => {
                let (old, new) = (self.hero.task.comm.clone(), Text::from(words[0]));
                self.say(Payload::Comm(Comm { old, new }));
            }
            "bare" => self.odd(words[0], |image| image.args.list.clear()),
            // inmemory: what the hero's last file in memory holds runs.
            "inmemory" => self.odd("memfd:x", |image| image.exe = File::new("memfd:x", 5, 9)),
            "deleted" => self.odd(words[0], |image| image.exe.deleted = true),
            "script" => {
                let script = File::new(words[1], 1, 1);
                self.odd(words[0], |image| image.script = Some(script));
            }
            // written EXE: what runs is the file that a step before wrote.
            "written" => {
                let id = file(words[0]).id;
                self.odd(words[0], |image| image.exe.id = id);
            }
            // stdin KIND [EXE]: of who is run next; for a pipe, EXE writes into it.
            "stdin" => self.stdin(words),
            "uid" => self.hero.task.context_mut().creds.uid = words[0].parse().unwrap(),
            "nologin" => self.hero.task.context_mut().creds.login_uid = None,
            "exit" => {
                self.world.exit(&self.hero);
            }
            // mark NAME: whoever is the hero now is known by that name; `back NAME` lets them act again.
            "mark" => self.marked.push((words[0].to_owned(), self.hero.clone())),
            "back" => self.hero = self.of_mark(words[0]),
            // found EXE: the hero is now one who was on the host before.
            "found" => self.hero = self.world.found(None, words[0]),
            // start EXE: the hero is now the first program of another container.
            "start" => {
                self.hero = self.world.start_container(&self.shim.clone(), OTHER, "bbbb", words[0]);
            }
            // start-plain EXE: as `start`, a container of no pod.
            "start-plain" => {
                self.hero = self.world.start_container(&self.shim.clone(), "/docker/cccc", "cccc", words[0]);
            }
            "wait" => {
                self.world.wait(words[0].parse().unwrap());
            }
            // reach NAME: writes into that one's memory.
            "reach" => {
                let target = self.of_mark(words[0]).key;
                self.say(Payload::Trace(Box::new(Trace {
                    call: call(Family::Trace, "process_vm_writev"),
                    request: 0,
                    target,
                    target_tid: target.pid,
                    write: true,
                    bytes: 64,
                    count: 1,
                    file: None,
                    fd: None,
                    errno: 0,
                })));
            }
            "parent" => {
                let parent = self.hero.task.parent.unwrap();
                self.hero.key = parent;
            }
            _ => return false,
        }
        true
    }

    /// A child that is started with something odd about what it runs.
    fn odd(&mut self, exe: &str, change: impl FnOnce(&mut Image)) {
        self.hero = self.world.spawn(&self.hero.clone(), exe, exe.rsplit('/').next().unwrap());
        let Payload::Exec(exec) = &mut self.world.events.last_mut().unwrap().payload else { panic!("it was started") };
        change(&mut exec.image);
    }

    fn stdin(&mut self, words: &[&str]) {
        self.hero.stdio[0] = match words[0] {
            "pipe" => {
                let pipe = self.world.pipe();
                if let Some(exe) = words.get(1) {
                    let mut writer = self.hero.clone();
                    writer.stdio[1] = pipe;
                    self.world.spawn(&writer, exe, exe.rsplit('/').next().unwrap());
                }
                pipe
            }
            "file" => Stdio { kind: StdioKind::File, ino: 77, peer: None },
            "null" => Stdio { kind: StdioKind::Device, ino: 5, peer: None },
            "unix" => Stdio { kind: StdioKind::Socket, ino: 78, peer: None },
            peer => Stdio { kind: StdioKind::Socket, ino: 79, peer: Some(peer.parse().unwrap()) },
        };
    }

    fn file(&mut self, verb: &str, rest: &str, words: &[&str]) -> bool {
        let open = |path: &str, write: bool, created: bool| {
            let access = Access { read: !write, write };
            let (fd, through) = (3, Through::Call);
            Payload::Open(Box::new(Open {
                file: file(path),
                fd,
                access,
                created,
                written_before: false,
                directory: false,
                through,
                passed: None,
            }))
        };
        let attribute = |path: &str, change| Payload::Attribute(Box::new(Attribute { file: file(path), change }));
        let pair = || rest.split_once(" -> ").unwrap_or_else(|| panic!("{rest:?} has no arrow"));
        let payload = match verb {
            "write" => open(rest, true, false),
            "create" => open(rest, true, true),
            "read" => open(rest, false, false),
            "rename" => {
                let (from, to) = pair();
                let from = File { path: Text::from(from), ..File::default() };
                Payload::Rename(Box::new(Rename { file: file(to), from, exchanged: false }))
            }
            "symlink" => {
                let (target, name) = pair();
                let target = File { path: Text::from(target), ..File::default() };
                Payload::Link(Box::new(Link { file: file(name), target, symbolic: true }))
            }
            "unlink" => Payload::Unlink(Box::new(Unlink { file: file(rest), links: Some(0), directory: Some(false) })),
            "mkdir" | "mknod" => {
                let (kind, device) = match (verb, words) {
                    ("mknod", ["block", ..]) => (MadeKind::BlockDevice, Some((8, 0))),
                    ("mknod", _) => (MadeKind::CharacterDevice, Some((1, 3))),
                    _ => (MadeKind::Directory, None),
                };
                let file = file(words.last().unwrap());
                Payload::Make(Box::new(Make { file, kind, mode: Some(0o600), device }))
            }
            "chmod" => {
                let now = u16::from_str_radix(words[0], 8).ok();
                attribute(words[1], AttributeChange::Mode { before: Some(0o644), now })
            }
            "xattr" => attribute(words[1], AttributeChange::Extended { name: Text::from(words[0]), removed: false }),
            "truncate" => attribute(rest, AttributeChange::Size { now: Some(0) }),
            "memfd" => Payload::MemFd(MemFd { file: File::new(format!("memfd:{rest}").as_str(), 5, 9), fd: 4 }),
            _ => return false,
        };
        self.say(payload);
        true
    }

    fn network(&mut self, verb: &str, words: &[&str]) -> bool {
        match verb {
            "connect" => {
                self.world.connect(&self.hero.clone(), words[0]);
            }
            // send PEER SENT RECEIVED: a connection from its begin to its end.
            "send" => {
                let flow = self.world.connect(&self.hero.clone(), words[0]);
                self.world.close(&self.hero.clone(), flow, words[1].parse().unwrap(), words[2].parse().unwrap());
            }
            "listen" => {
                let local: SocketAddr = words[0].parse().unwrap();
                let netns = self.hero.task.context.namespaces.net;
                self.say(Payload::Listen(Listen { local, netns }));
            }
            // unix PATH [refused]
            "unix" => self.say(Payload::Unix(Box::new(Unix {
                act: if words.len() > 1 { UnixAct::Failed(111) } else { UnixAct::Connected },
                socket_type: SocketType(1),
                name: UnixName::Path(file(words[0])),
                peer: None,
                asked: false,
                netns: 3,
            }))),
            "socket" => {
                let (domain, socket_type) = match words[0] {
                    "packet" => (17, 3),
                    "raw" => (2, 3),
                    "vsock" => (40, 1),
                    other => panic!("{other:?} is no kind of socket"),
                };
                let fd = if words.len() > 1 { -1 } else { 5 };
                let (domain, socket_type) = (Domain(domain), SocketType(socket_type));
                self.say(Payload::Socket(Socket { domain, socket_type, protocol: 0, fd }));
            }
            "dns" => {
                let flow = Flow {
                    id: FlowId(81),
                    local: "10.0.0.1:40000".parse().unwrap(),
                    remote: "10.0.0.10:53".parse().unwrap(),
                    netns: self.hero.task.context.namespaces.net,
                };
                let (name, record_type) = (Text::from(words[0]), RecordType::A);
                let transport = DnsTransport::Udp;
                self.say(Payload::Dns(Box::new(Dns { flow, transport, name, record_type, reply: None, waited: None })));
            }
            // dup FD PEER
            "dup" => {
                let leads_to = Stdio { kind: StdioKind::Socket, ino: 80, peer: Some(words[1].parse().unwrap()) };
                let fd = words[0].parse().unwrap();
                self.say(Payload::Stdio(StdioChange { call: call(Family::Stdio, "dup2"), fd, leads_to }));
            }
            _ => return false,
        }
        true
    }

    fn privilege(&mut self, verb: &str, words: &[&str]) {
        match verb {
            "hostns" => {
                let now = Namespaces { mnt: HOST.mnt, ..self.hero.task.context.namespaces };
                self.world.setns(&mut self.hero, now);
            }
            // chroot PLACE [failed]
            "chroot" => {
                let (now, before, errno) = (file(words[0]), file("/"), u32::from(words.get(1) == Some(&"failed")));
                let call = call(Family::Root, "chroot");
                self.say(Payload::Root(Box::new(RootChange { call, now, before, namespace: 1, errno })));
            }
            // mount SOURCE PLACE TYPE [failed]; a dash for what is empty
            "mount" => {
                let text = |word: &str| if word == "-" { Text::default() } else { Text::from(word) };
                let mount = Mount {
                    call: call(Family::Mount, "mount"),
                    source: text(words[0]),
                    place: file(words[1]),
                    fs_type: text(words[2]),
                    flags: 0,
                    key: Text::default(),
                    options: Text::default(),
                    namespace: 1,
                    errno: if words.len() > 3 { 1 } else { 0 },
                };
                self.say(Payload::Mount(Box::new(mount)));
            }
            // trace CALL read|write|me WHOM [failed]; whom: a child, one of the host or one of another container
            "trace" => self.trace(words),
            "signal" => {
                let signal = words[0].parse().unwrap();
                let target = self.world.found(None, words[1]).key;
                let (target_tid, outcome) = (target.pid, SignalOutcome::Delivered);
                self.say(Payload::Signal(SignalSent {
                    signal,
                    target,
                    target_tid,
                    thread_only: false,
                    outcome,
                    count: 1,
                }));
            }
            // module CALL FILE; a dash: from memory
            "module" => self.say(Payload::Kernel(Box::new(KernelLoad {
                call: call(Family::Kernel, words[0]),
                file: (words[1] != "-").then(|| file(words[1])),
                ramdisk: None,
                words: Text::default(),
                size: 4096,
                flags: 0,
                errno: if words.len() > 2 { 1 } else { 0 },
            }))),
            // bpf COMMAND TYPE
            "bpf" => self.say(Payload::Bpf(Box::new(Bpf {
                command: if words[0] == "load" { BpfCommand::ProgLoad } else { BpfCommand::MapCreate },
                object_type: words[1].parse().unwrap(),
                attach_type: 0,
                id: 1,
                size: 10,
                name: Text::from("x"),
                errno: 0,
            }))),
            // became-root by-capability|by-saved-user
            "became-root" => {
                let users = |euid, suid| Privileges { uid: 1000, euid, suid, ..Privileges::default() };
                let saved = if words[0] == "by-saved-user" { 0 } else { 1000 };
                let (before, now) = (users(1000, saved), users(0, 0));
                let call = call(Family::Credentials, "setuid");
                self.say(Payload::Credentials(Box::new(CredentialsChange { call, before, now })));
            }
            other => panic!("{other:?} is nothing that can be done"),
        }
    }

    fn trace(&mut self, words: &[&str]) {
        let target = match words[2] {
            "host" => self.world.found(None, "/usr/bin/dockerd").key,
            "other" => self.world.start_container(&self.shim.clone(), OTHER, "bbbb", "/srv/other").key,
            _ => self.world.fork(&self.hero.clone()).key,
        };
        let fd = (words[0] == "pidfd_getfd").then_some(7);
        let request = match (words[0], words[1]) {
            ("ptrace", "me") => 0,
            ("ptrace", _) => 16,
            _ => 0,
        };
        self.say(Payload::Trace(Box::new(Trace {
            call: call(Family::Trace, words[0]),
            request,
            target,
            target_tid: target.pid,
            write: words[1] == "write" || words[1] == "me",
            bytes: 8,
            count: 1,
            file: fd.map(|_| file("/var/lib/secret")),
            fd,
            errno: if words.len() > 3 { 1 } else { 0 },
        })));
    }
}

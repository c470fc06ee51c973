//! Events of every family from a seed: the same seed gives the same events.

mod privilege;

use std::net::SocketAddr;
use std::time::Duration;

use lanner_core::event::*;

/// A small deterministic generator of numbers (splitmix64).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flag() { Some(make(self)) } else { None }
    }

    /// Edges are as likely as everything between them.
    fn u64(&mut self) -> u64 {
        match self.below(4) {
            0 => 0,
            1 => u64::MAX,
            2 => self.below(1000),
            _ => self.next(),
        }
    }

    fn u32(&mut self) -> u32 {
        self.u64() as u32
    }

    fn text(&mut self) -> Text {
        let len = if self.below(50) == 0 { 5000 } else { self.below(40) };
        Text::from((0..len).map(|_| self.next() as u8).collect::<Vec<_>>())
    }

    fn key(&mut self) -> ProcessKey {
        ProcessKey::new(self.u32(), self.u64())
    }

    fn address(&mut self) -> SocketAddr {
        let port = self.next() as u16;
        if self.flag() {
            SocketAddr::from((self.u32().to_be_bytes(), port))
        } else {
            let ip = ((u128::from(self.next()) << 64) | u128::from(self.next())).to_be_bytes();
            std::net::SocketAddrV6::new(ip.into(), port, self.u32(), self.u32()).into()
        }
    }

    fn file(&mut self) -> File {
        File {
            path: self.text(),
            id: FileId { dev: self.u64(), ino: self.u64() },
            truncated: self.flag(),
            deleted: self.flag(),
            as_passed: self.flag(),
        }
    }

    fn namespaces(&mut self) -> Namespaces {
        if self.flag() {
            return Namespaces::default();
        }
        Namespaces {
            mnt: self.u32(),
            pid: self.u32(),
            net: self.u32(),
            uts: self.u32(),
            ipc: self.u32(),
            cgroup: self.u32(),
            user: self.u32(),
        }
    }

    fn task(&mut self) -> Task {
        Task {
            parent: self.maybe(Self::key),
            comm: self.text(),
            ns_pid: self.u32(),
            session: self.u32(),
            group: self.u32(),
            context: Context {
                pid_namespaces: (0..self.below(4)).map(|_| self.u32()).collect(),
                creds: Credentials {
                    uid: self.u32(),
                    euid: self.u32(),
                    gid: self.u32(),
                    egid: self.u32(),
                    login_uid: self.maybe(Self::u32),
                    cap_effective: self.u64(),
                    cap_permitted: self.u64(),
                },
                tty: self.maybe(Self::text),
                namespaces: self.namespaces(),
                root: FileId { dev: self.u64(), ino: self.u64() },
                root_path: self.maybe(Self::text),
                cgroup: self.text(),
                container: self.maybe(|r| ContainerId(r.text())),
            }
            .into(),
        }
    }

    fn stdio(&mut self) -> Stdio {
        use StdioKind::*;
        let kinds = [Unknown, Closed, File, Directory, Device, Terminal, Pipe, Socket];
        Stdio { kind: kinds[self.below(8) as usize], ino: self.u64(), peer: self.maybe(Self::address) }
    }

    fn image(&mut self) -> Image {
        Image {
            exe: self.file(),
            script: self.maybe(Self::file),
            args: Args { list: (0..self.below(6)).map(|_| self.text()).collect(), truncated: self.flag() },
            cwd: self.text(),
            stdio: [self.stdio(), self.stdio(), self.stdio()],
            env: Environment { list: (0..self.below(3)).map(|_| self.text()).collect(), truncated: self.flag() },
            layer: [None, Some(Layer::Upper), Some(Layer::Lower)][self.below(3) as usize],
            compat: self.flag(),
            gain: self.maybe(|r| Gain {
                user_before: r.maybe(Self::u32),
                group_before: r.maybe(Self::u32),
                capabilities: r.u64(),
            }),
        }
    }

    fn flow(&mut self) -> Flow {
        Flow { id: FlowId(self.u64()), local: self.address(), remote: self.address(), netns: self.u32() }
    }

    fn udp(&mut self) -> Udp {
        let stages = [UdpStage::Started, UdpStage::Continues, UdpStage::Silent, UdpStage::Closed];
        let mut datagrams = || Datagrams { datagrams: self.u64(), bytes: self.u64() };
        let (sent, received) = (datagrams(), datagrams());
        Udp {
            flow: self.flow(),
            stage: stages[self.below(4) as usize],
            outgoing: self.flag(),
            connected: self.flag(),
            sent,
            received,
            lasted: Duration::from_nanos(self.u64()),
        }
    }

    fn dns(&mut self) -> Dns {
        Dns {
            flow: self.flow(),
            transport: if self.flag() { DnsTransport::Udp } else { DnsTransport::Tcp },
            name: self.text(),
            record_type: RecordType(self.next() as u16),
            reply: self.maybe(Self::reply),
            waited: self.maybe(|r| Duration::from_nanos(r.u64())),
        }
    }

    fn reply(&mut self) -> DnsReply {
        DnsReply {
            rcode: ResponseCode(self.next() as u16),
            addresses: (0..self.below(33)).map(|_| self.address().ip()).collect(),
            names: (0..self.below(4)).map(|_| self.text()).collect(),
            records: self.next() as u16,
            ttl: self.maybe(Self::u32),
            truncated: self.flag(),
            cut: self.flag(),
        }
    }

    fn change(&mut self) -> AttributeChange {
        let owner = |r: &mut Self| Owner { uid: r.u32(), gid: r.u32() };
        match self.below(4) {
            0 => {
                AttributeChange::Mode { before: self.maybe(|r| r.next() as u16), now: self.maybe(|r| r.next() as u16) }
            }
            1 => AttributeChange::Owner { before: self.maybe(owner), now: self.maybe(owner) },
            2 => AttributeChange::Extended { name: self.text(), removed: self.flag() },
            _ => AttributeChange::Size { now: self.maybe(Self::u64) },
        }
    }

    fn labels(&mut self) -> Vec<Label> {
        (0..self.below(4)).map(|_| Label { key: self.text(), value: self.text() }).collect()
    }

    fn container(&mut self) -> ContainerInfo {
        use HostNamespace::*;
        let told = [ToldBy::Nobody, ToldBy::Cri, ToldBy::Runtime, ToldBy::Files];
        ContainerInfo {
            id: ContainerId(self.text()),
            told_by: told[self.below(4) as usize],
            why: self.text(),
            node: self.maybe(|r| ContainerId(r.text())),
            runtime: self.text(),
            name: self.text(),
            image: ImageName { reference: self.text(), digest: self.text(), id: self.text() },
            role: if self.flag() { Role::Container } else { Role::Sandbox },
            pod: self.maybe(|r| PodName {
                name: r.text(),
                namespace: r.text(),
                uid: r.text(),
                sandbox: r.maybe(|r| ContainerId(r.text())),
                source: r.text(),
                labels: r.labels(),
            }),
            created: self.maybe(Self::u64),
            privileged: self.maybe(Self::flag),
            host_namespaces: [Pid, Net, Ipc, Uts].into_iter().filter(|_| self.flag()).collect(),
            mounts: (0..self.below(4))
                .map(|_| HostMount { host: self.text(), container: self.text(), read_only: self.flag() })
                .collect(),
            labels: self.labels(),
            cut: self.flag(),
        }
    }

    fn payload(&mut self, family: Family) -> Payload {
        match family {
            Family::Exec => Payload::Exec(Box::new(Exec { task: self.task(), image: self.image() })),
            Family::Alive => Payload::Alive(Box::new(Exec { task: self.task(), image: self.image() })),
            Family::Fork => {
                Payload::Fork(Box::new(Fork { child: self.key(), how: CloneFlags(self.u64()), task: self.task() }))
            }
            Family::Exit => Payload::Exit(Exit { code: self.next() as u8, signal: self.next() as u8 }),
            Family::Open => Payload::Open(Box::new(Open {
                file: self.file(),
                fd: self.u32() as i32,
                access: Access { read: self.flag(), write: self.flag() },
                created: self.flag(),
                written_before: self.flag(),
                directory: self.flag(),
                through: [Through::Call, Through::IoUring, Through::Kernel][self.below(3) as usize],
                passed: self.flag().then(|| Passed {
                    name: self.flag().then(|| self.text()),
                    flags: OpenFlags(self.u32()),
                    mode: self.next() as u16,
                }),
            })),
            Family::Connect => {
                let attempts = [Attempt::Started, Attempt::Established, Attempt::Failed(self.u32())];
                Payload::Connect(Connect {
                    flow: self.flow(),
                    attempt: attempts[self.below(3) as usize],
                    asked: self.flag(),
                })
            }
            Family::Accept => Payload::Accept(Accept { flow: self.flow() }),
            Family::Listen => Payload::Listen(Listen { local: self.address(), netns: self.u32() }),
            Family::Close => Payload::Close(Close {
                flow: self.flow(),
                outgoing: self.maybe(Self::flag),
                sent: self.u64(),
                received: self.u64(),
                quality: self.quality(),
                end: match self.below(5) {
                    0 => End::Finished,
                    1 => End::Reset,
                    2 => End::Aborted,
                    3 => End::TimedOut,
                    _ => End::Broken(self.u32()),
                },
                lasted: Duration::from_nanos(self.u64()),
            }),
            Family::Namespace => Payload::Namespace(NamespaceChange {
                how: if self.flag() { NsChangeHow::Setns } else { NsChangeHow::Unshare },
                now: self.namespaces(),
                before: self.namespaces(),
            }),
            Family::MemFd => Payload::MemFd(MemFd { file: self.file(), fd: self.u32() as i32 }),
            Family::Rename => {
                Payload::Rename(Box::new(Rename { file: self.file(), from: self.file(), exchanged: self.flag() }))
            }
            Family::Link => {
                Payload::Link(Box::new(Link { file: self.file(), target: self.file(), symbolic: self.flag() }))
            }
            Family::Unlink => Payload::Unlink(Box::new(Unlink {
                file: self.file(),
                links: self.maybe(Self::u32),
                directory: self.maybe(Self::flag),
            })),
            Family::Make => {
                use MadeKind::*;
                let kinds = [Unknown, Directory, CharacterDevice, BlockDevice, Pipe, Socket, Regular];
                Payload::Make(Box::new(Make {
                    file: self.file(),
                    kind: kinds[self.below(7) as usize],
                    mode: self.maybe(|r| r.next() as u16),
                    device: self.maybe(|r| (r.u32(), r.u32())),
                }))
            }
            Family::Attribute => Payload::Attribute(Box::new(Attribute { file: self.file(), change: self.change() })),
            Family::Traffic => Payload::Traffic(Traffic {
                flow: self.flow(),
                outgoing: self.maybe(Self::flag),
                sent: self.u64(),
                received: self.u64(),
                quality: self.quality(),
                lasted: Duration::from_nanos(self.u64()),
            }),
            Family::Unix => Payload::Unix(Box::new(Unix {
                act: [UnixAct::Connected, UnixAct::Failed(self.u32()), UnixAct::Listening][self.below(3) as usize],
                socket_type: SocketType(self.u32()),
                name: if self.flag() { UnixName::Path(self.file()) } else { UnixName::Abstract(self.text()) },
                peer: self.maybe(Self::key).filter(|key| !key.is_unknown()),
                asked: self.flag(),
                netns: self.u32(),
            })),
            Family::Socket => Payload::Socket(Socket {
                domain: Domain(self.u32()),
                socket_type: SocketType(self.u32()),
                protocol: self.u32(),
                fd: self.u32() as i32,
            }),
            Family::Bind => Payload::Bind(Bind {
                domain: Domain(self.u32()),
                socket_type: SocketType(self.u32()),
                to: if self.flag() {
                    BindAddress::Inet { local: self.address(), protocol: self.u32() as u16 }
                } else {
                    BindAddress::Packet { interface: self.u32(), protocol: self.u32() as u16 }
                },
                netns: self.u32(),
            }),
            Family::Udp => Payload::Udp(Box::new(self.udp())),
            Family::Dns => Payload::Dns(Box::new(self.dns())),
            Family::Credentials
            | Family::Root
            | Family::Mount
            | Family::Trace
            | Family::Signal
            | Family::Kernel
            | Family::Bpf
            | Family::Stdio => self.privilege(family),
            Family::Container => Payload::Container(Box::new(self.container())),
            Family::Comm => Payload::Comm(Comm { old: self.text(), new: self.text() }),
            Family::Seal => Payload::Seal(Box::new(Seal {
                file: self.file(),
                fd: self.u32() as i32,
                added: Seals(self.u32()),
                before: Seals(self.u32()),
            })),
            Family::UringSetup => {
                Payload::UringSetup(UringSetup { fd: self.u32() as i32, entries: self.u32(), flags: self.u32() })
            }
            Family::UringOp => Payload::UringOp(Box::new(UringOp {
                operation: UringOperation(self.next() as u8),
                path: self.maybe(Self::text),
                second: self.maybe(Self::text),
            })),
            Family::Compat => Payload::Compat(Compat { call: self.u32(), from_native: self.flag() }),
            Family::Digest => Payload::Digest(Box::new(Digest {
                file: self.file(),
                since: BootTime(self.u64()),
                sha256: Sha256([self.u32() as u8; 32]),
            })),
            Family::Accounts => {
                let mut list = || {
                    let n = self.below(4) as u32;
                    (0..n).map(|i| Account { id: i * 7, name: self.text() }).collect::<Vec<_>>()
                };
                let (users, groups) = (list(), list());
                let container = self.flag().then(|| ContainerId(self.text()));
                Payload::Accounts(Box::new(Accounts { container, users, groups, cut: self.flag() }))
            }
        }
    }

    fn quality(&mut self) -> Quality {
        Quality {
            retransmits: self.u32(),
            retransmitted: self.u64(),
            rtt: Duration::from_nanos(self.u64()),
            rtt_min: Duration::from_nanos(self.u64()),
        }
    }

    /// An event of family `seq` modulo their number.
    pub(crate) fn event(&mut self, seq: u64, time: u64) -> Event {
        Event {
            header: Header {
                seq,
                time: BootTime(time),
                cpu: self.u32(),
                process: self.key(),
                tid: self.u32(),
                origin: if self.flag() { Origin::Live } else { Origin::Backfill },
                compat: self.flag(),
            },
            payload: self.payload(Family::ALL[seq as usize % Family::ALL.len()]),
        }
    }

    /// A batch of `n` numbered events, a millisecond apart.
    pub(crate) fn batch(&mut self, first_seq: u64, n: u64) -> Batch {
        let time = |seq: u64| seq * 1_000_000;
        Batch {
            first_seq,
            now: BootTime(time(first_seq + n)),
            snapshot: false,
            events: (first_seq..first_seq + n).map(|seq| self.event(seq, time(seq))).collect(),
            losses: Vec::new(),
        }
    }
}

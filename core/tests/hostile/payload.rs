//! What a hostile history tells of each family of events: a family that is new does not compile without words here.

use std::time::Duration;

use lanner_core::event::*;

use super::Teller;

/// What histories mostly tell of; every family comes up now and then.
const MOSTLY: &[Family] = &[
    Family::Exec,
    Family::Exec,
    Family::Exec,
    Family::Exec,
    Family::Fork,
    Family::Fork,
    Family::Exit,
    Family::Exit,
    Family::Open,
    Family::Open,
    Family::Open,
    Family::Connect,
    Family::Namespace,
    Family::Container,
    Family::Udp,
];

impl Teller {
    pub(super) fn any(&mut self) -> Payload {
        let families = if self.random.one_in(3) { Family::ALL } else { MOSTLY };
        let family = *self.random.pick(families);
        self.payload(family)
    }

    #[rustfmt::skip]
    fn payload(&mut self, family: Family) -> Payload {
        match family {
            Family::Exec => Payload::Exec(Box::new(self.exec())),
            Family::Alive => Payload::Alive(Box::new(self.exec())),
            Family::Fork => Payload::Fork(Box::new(self.fork())),
            Family::Exit => Payload::Exit(Exit { code: 1, signal: 0 }),
            Family::Open => Payload::Open(Box::new(self.open())),
            Family::Connect => Payload::Connect(self.connect()),
            Family::Accept => Payload::Accept(Accept { flow: self.flow() }),
            Family::Listen => Payload::Listen(Listen { local: self.address(), netns: 1 }),
            Family::Close => Payload::Close(self.close()),
            Family::Namespace => Payload::Namespace(self.namespace_change()),
            Family::MemFd => Payload::MemFd(MemFd { file: self.file(), fd: -1 }),
            Family::Rename => Payload::Rename(Box::new(self.rename())),
            Family::Link => Payload::Link(Box::new(self.link())),
            Family::Unlink => Payload::Unlink(Box::new(self.unlink())),
            Family::Make => Payload::Make(Box::new(self.make())),
            Family::Attribute => Payload::Attribute(Box::new(self.attribute())),
            Family::Traffic => Payload::Traffic(self.traffic()),
            Family::Unix => Payload::Unix(Box::new(self.unix())),
            Family::Socket => Payload::Socket(self.socket()),
            Family::Bind => Payload::Bind(self.bind()),
            Family::Credentials => Payload::Credentials(Box::new(self.credentials())),
            Family::Root => Payload::Root(Box::new(self.root())),
            Family::Mount => Payload::Mount(Box::new(self.mount())),
            Family::Trace => Payload::Trace(Box::new(self.trace())),
            Family::Signal => Payload::Signal(self.signal()),
            Family::Kernel => Payload::Kernel(Box::new(self.kernel())),
            Family::Bpf => Payload::Bpf(Box::new(self.bpf())),
            Family::Stdio => Payload::Stdio(StdioChange { call: self.call(family), fd: 3, leads_to: self.stdio() }),
            Family::Udp => Payload::Udp(Box::new(self.udp())),
            Family::Dns => Payload::Dns(Box::new(self.dns())),
            Family::Container => Payload::Container(Box::new(self.container())),
            Family::Comm => Payload::Comm(Comm { old: self.word(), new: self.word() }),
            Family::Seal => Payload::Seal(Box::new(self.seal())),
            Family::UringSetup => Payload::UringSetup(UringSetup { fd: -1, entries: u32::MAX, flags: u32::MAX }),
            Family::UringOp => Payload::UringOp(Box::new(self.uring())),
            Family::Compat => Payload::Compat(Compat { call: u32::MAX, from_native: self.random.one_in(2) }),
            Family::Accounts => Payload::Accounts(Box::new(self.accounts())),
            Family::Digest => Payload::Digest(Box::new(Digest {
                file: self.file(),
                since: BootTime(self.random.next()),
                sha256: Sha256([7; 32]),
            })),
        }
    }

    fn call(&mut self, family: Family) -> Call {
        let name = *self.random.pick(family.event_types());
        Call::of(family, name).unwrap()
    }

    fn errno(&mut self) -> u32 {
        *self.random.pick(&[0, 0, 1, u32::MAX])
    }

    fn bytes(&mut self) -> u64 {
        *self.random.pick(&[0, 70_000, u64::MAX])
    }

    fn fork(&mut self) -> Fork {
        let how = CloneFlags(*self.random.pick(&[0, CloneFlags::VFORK, CloneFlags::PARENT, u64::MAX]));
        Fork { child: self.key(), how, task: self.task() }
    }

    fn connect(&mut self) -> Connect {
        let attempt = *self.random.pick(&[Attempt::Started, Attempt::Established, Attempt::Failed(111)]);
        Connect { flow: self.flow(), attempt, asked: self.random.one_in(9) }
    }

    fn close(&mut self) -> Close {
        Close {
            flow: self.flow(),
            outgoing: *self.random.pick(&[Some(true), Some(false), None]),
            sent: self.bytes(),
            received: self.bytes(),
            quality: Quality::default(),
            end: End::Reset,
            lasted: Duration::MAX,
        }
    }

    fn traffic(&mut self) -> Traffic {
        let Close { flow, outgoing, sent, received, quality, lasted, .. } = self.close();
        Traffic { flow, outgoing, sent, received, quality, lasted }
    }

    fn namespace_change(&mut self) -> NamespaceChange {
        let how = *self.random.pick(&[NsChangeHow::Setns, NsChangeHow::Unshare]);
        NamespaceChange { how, now: self.namespaces(), before: self.namespaces() }
    }

    fn rename(&mut self) -> Rename {
        Rename { file: self.file(), from: self.file(), exchanged: self.random.one_in(3) }
    }

    fn link(&mut self) -> Link {
        Link { file: self.file(), target: self.file(), symbolic: self.random.one_in(3) }
    }

    fn unlink(&mut self) -> Unlink {
        let links = *self.random.pick(&[None, Some(0), Some(1)]);
        Unlink { file: self.file(), links, directory: *self.random.pick(&[None, Some(true)]) }
    }

    fn make(&mut self) -> Make {
        let kind = *self.random.pick(&[MadeKind::BlockDevice, MadeKind::Directory, MadeKind::Unknown]);
        Make { file: self.file(), kind, mode: None, device: Some((u32::MAX, 0)) }
    }

    fn attribute(&mut self) -> Attribute {
        let owner = Some(Owner { uid: 0, gid: u32::MAX });
        let change = match self.random.below(4) {
            0 => AttributeChange::Mode { before: None, now: Some(u16::MAX) },
            1 => AttributeChange::Owner { before: owner, now: None },
            2 => AttributeChange::Extended { name: self.word(), removed: self.random.one_in(2) },
            _ => AttributeChange::Size { now: None },
        };
        Attribute { file: self.file(), change }
    }

    fn unix(&mut self) -> Unix {
        let named = self.random.one_in(2);
        Unix {
            act: *self.random.pick(&[UnixAct::Connected, UnixAct::Failed(2), UnixAct::Listening]),
            socket_type: SocketType(u32::MAX),
            name: if named { UnixName::Path(self.file()) } else { UnixName::Abstract(self.word()) },
            peer: self.random.one_in(2).then(|| self.key()),
            asked: self.random.one_in(9),
            netns: 1,
        }
    }

    fn socket(&mut self) -> Socket {
        let domain = Domain(*self.random.pick(&[2, 16, 17, u32::MAX]));
        Socket { domain, socket_type: SocketType(3), protocol: u32::MAX, fd: -1 }
    }

    fn bind(&mut self) -> Bind {
        let packet = BindAddress::Packet { interface: u32::MAX, protocol: 0 };
        let inet = BindAddress::Inet { local: self.address(), protocol: u16::MAX };
        let to = *self.random.pick(&[packet, inet]);
        Bind { domain: Domain(17), socket_type: SocketType(2), to, netns: 1 }
    }

    fn privileges(&mut self) -> Privileges {
        let id = *self.random.pick(&[0, 1_000, u32::MAX]);
        let cap_effective = *self.random.pick(&[0, u64::MAX]);
        Privileges { uid: id, euid: id, cap_effective, groups: vec![id; 3], ..Privileges::default() }
    }

    fn credentials(&mut self) -> CredentialsChange {
        CredentialsChange { call: self.call(Family::Credentials), before: self.privileges(), now: self.privileges() }
    }

    fn root(&mut self) -> RootChange {
        RootChange {
            call: self.call(Family::Root),
            now: self.file(),
            before: self.file(),
            namespace: u32::MAX,
            errno: 0,
        }
    }

    fn mount(&mut self) -> Mount {
        Mount {
            call: self.call(Family::Mount),
            source: self.word(),
            place: self.file(),
            fs_type: self.word(),
            flags: u64::MAX,
            key: self.word(),
            options: self.word(),
            namespace: 1,
            errno: self.errno(),
        }
    }

    fn trace(&mut self) -> Trace {
        let target = self.key();
        Trace {
            call: self.call(Family::Trace),
            request: *self.random.pick(&[0, 4, u32::MAX]),
            target,
            target_tid: target.pid,
            write: self.random.one_in(2),
            bytes: self.bytes(),
            count: u64::MAX,
            file: self.random.one_in(4).then(|| self.file()),
            fd: Some(-1),
            errno: self.errno(),
        }
    }

    fn signal(&mut self) -> SignalSent {
        let target = self.key();
        let outcome = *self.random.pick(&[SignalOutcome::Delivered, SignalOutcome::Lost]);
        SignalSent { signal: 9, target, target_tid: 0, thread_only: false, outcome, count: u64::MAX }
    }

    fn kernel(&mut self) -> KernelLoad {
        KernelLoad {
            call: self.call(Family::Kernel),
            file: self.random.one_in(2).then(|| self.file()),
            ramdisk: None,
            words: self.word(),
            size: u64::MAX,
            flags: u64::MAX,
            errno: self.errno(),
        }
    }

    fn bpf(&mut self) -> Bpf {
        Bpf {
            command: *self.random.pick(BpfCommand::ALL),
            object_type: *self.random.pick(&[1, 29, u32::MAX]),
            attach_type: u32::MAX,
            id: 1,
            size: u32::MAX,
            name: self.word(),
            errno: self.errno(),
        }
    }

    fn seal(&mut self) -> Seal {
        Seal { file: self.file(), fd: -1, added: Seals(u32::MAX), before: Seals(0) }
    }

    fn uring(&mut self) -> UringOp {
        let operation = UringOperation(*self.random.pick(&[18, 35, u8::MAX]));
        UringOp { operation, path: self.random.one_in(2).then(|| self.word()), second: None }
    }

    fn accounts(&mut self) -> Accounts {
        let account = |id: u32, name: Text| Account { id, name };
        let container = self.random.one_in(2).then(|| ContainerId(Text::from("aaaa")));
        let users = vec![account(0, self.word()), account(u32::MAX, self.word())];
        Accounts { container, users, groups: vec![account(0, self.word())], cut: true }
    }
}

//! Events about privilege.

use lanner_core::event::*;

use super::Rng;

impl Rng {
    fn call(&mut self, family: Family) -> Call {
        let names = family.event_types();
        Call::of(family, names[self.below(names.len() as u64) as usize]).expect("the family's own")
    }

    fn privileges(&mut self) -> Privileges {
        Privileges {
            uid: self.u32(),
            euid: self.u32(),
            suid: self.u32(),
            fsuid: self.u32(),
            gid: self.u32(),
            egid: self.u32(),
            sgid: self.u32(),
            fsgid: self.u32(),
            cap_effective: self.u64(),
            cap_permitted: self.u64(),
            cap_inheritable: self.u64(),
            cap_bounding: self.u64(),
            cap_ambient: self.u64(),
            user_ns: self.u32(),
            group_count: self.u32(),
            groups: (0..self.below(17)).map(|_| self.u32()).collect(),
        }
    }

    pub(super) fn privilege(&mut self, family: Family) -> Payload {
        match family {
            Family::Credentials => Payload::Credentials(Box::new(CredentialsChange {
                call: self.call(Family::Credentials),
                before: self.privileges(),
                now: self.privileges(),
            })),
            Family::Root => Payload::Root(Box::new(RootChange {
                call: self.call(Family::Root),
                now: self.file(),
                before: self.file(),
                namespace: self.u32(),
                errno: self.u32(),
            })),
            Family::Mount => Payload::Mount(Box::new(Mount {
                call: self.call(Family::Mount),
                source: self.text(),
                place: self.file(),
                fs_type: self.text(),
                flags: self.u64(),
                key: self.text(),
                options: self.text(),
                namespace: self.u32(),
                errno: self.u32(),
            })),
            Family::Trace => Payload::Trace(Box::new(Trace {
                call: self.call(Family::Trace),
                request: self.u32(),
                target: self.key(),
                target_tid: self.u32(),
                write: self.flag(),
                bytes: self.u64(),
                count: self.u64(),
                file: self.maybe(Self::file),
                fd: self.maybe(|r| r.u32() as i32),
                errno: self.u32(),
            })),
            Family::Signal => {
                use SignalOutcome::*;
                Payload::Signal(SignalSent {
                    signal: self.u32(),
                    target: self.key(),
                    target_tid: self.u32(),
                    thread_only: self.flag(),
                    outcome: [Delivered, Ignored, Pending, Lost][self.below(4) as usize],
                    count: self.u64(),
                })
            }
            Family::Kernel => Payload::Kernel(Box::new(KernelLoad {
                call: self.call(Family::Kernel),
                file: self.maybe(Self::file),
                ramdisk: self.maybe(Self::file),
                words: self.text(),
                size: self.u64(),
                flags: self.u64(),
                errno: self.u32(),
            })),
            Family::Bpf => Payload::Bpf(Box::new(Bpf {
                command: BpfCommand::ALL[self.below(BpfCommand::ALL.len() as u64) as usize],
                object_type: self.u32(),
                attach_type: self.u32(),
                id: self.u32(),
                size: self.u32(),
                name: self.text(),
                errno: self.u32(),
            })),
            _ => {
                let leads_to = self.stdio();
                Payload::Stdio(StdioChange { call: self.call(Family::Stdio), fd: self.u32(), leads_to })
            }
        }
    }
}

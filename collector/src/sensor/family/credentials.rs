//! Users, groups and capabilities that change.

use lanner_collector_abi::{CredFacts, CredentialsRecord};
use lanner_core::event::{CredentialsChange, Family, Payload, Privileges};

use super::calls::call;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::Reader;

pub(super) const HOOKS: &[Spec] = &[Spec {
    name: "sys_enter/exit_set*id, setgroups, capset",
    program: "credentials_exit",
    attach: Attach::Calls(&[
        (
            "credentials_enter",
            &[
                "sys_enter_setuid",
                "sys_enter_setgid",
                "sys_enter_setreuid",
                "sys_enter_setregid",
                "sys_enter_setresuid",
                "sys_enter_setresgid",
                "sys_enter_setgroups",
                "sys_enter_setfsuid",
                "sys_enter_setfsgid",
                "sys_enter_capset",
            ],
        ),
        (
            "credentials_exit",
            &[
                "sys_exit_setuid",
                "sys_exit_setgid",
                "sys_exit_setreuid",
                "sys_exit_setregid",
                "sys_exit_setresuid",
                "sys_exit_setresgid",
                "sys_exit_setgroups",
                "sys_exit_setfsuid",
                "sys_exit_setfsgid",
                "sys_exit_capset",
            ],
        ),
    ]),
    without: "processes that become another user, group, or gain capabilities without exec",
    unless: "",
}];

pub(super) fn credentials(reader: &mut Reader<'_>) -> Option<Payload> {
    let record = reader.fixed::<CredentialsRecord>()?;
    Some(Payload::Credentials(Box::new(CredentialsChange {
        call: call(Family::Credentials, &record.header, record.call)?,
        before: privileges(&record.before),
        now: privileges(&record.now),
    })))
}

fn privileges(facts: &CredFacts) -> Privileges {
    let listed = facts.groups.len().min(facts.group_count as usize);
    Privileges {
        uid: facts.uid,
        euid: facts.euid,
        suid: facts.suid,
        fsuid: facts.fsuid,
        gid: facts.gid,
        egid: facts.egid,
        sgid: facts.sgid,
        fsgid: facts.fsgid,
        cap_effective: facts.cap_effective,
        cap_permitted: facts.cap_permitted,
        cap_inheritable: facts.cap_inheritable,
        cap_bounding: facts.cap_bounding,
        cap_ambient: facts.cap_ambient,
        user_ns: facts.user_ns,
        group_count: facts.group_count,
        groups: facts.groups[..listed].to_vec(),
    }
}

//! Users, groups and capabilities that change.

use std::process::Command;

use lanner_core::event::{CredentialsChange, Event, NamespaceChange, Payload, Privileges};

use super::stage::{after, done, namespace, perform, stage};

fn changes(life: &[Event]) -> Vec<&CredentialsChange> {
    life.iter()
        .filter_map(|e| if let Payload::Credentials(change) = &e.payload { Some(change.as_ref()) } else { None })
        .collect()
}

/// What this process may do, as /proc tells it.
fn own() -> Privileges {
    let status = std::fs::read_to_string("/proc/self/status").expect("own status");
    let line = |name: &str| status.lines().find_map(|l| l.strip_prefix(name)).expect("a line");
    let numbers = |name: &str| -> Vec<u32> {
        line(name).split_ascii_whitespace().map(|n| n.parse().expect("a number")).collect()
    };
    let bits = |name: &str| u64::from_str_radix(line(name).trim(), 16).expect("capabilities");
    let (uids, gids, groups) = (numbers("Uid:"), numbers("Gid:"), numbers("Groups:"));
    Privileges {
        uid: uids[0],
        euid: uids[1],
        suid: uids[2],
        fsuid: uids[3],
        gid: gids[0],
        egid: gids[1],
        sgid: gids[2],
        fsgid: gids[3],
        cap_effective: bits("CapEff:"),
        cap_permitted: bits("CapPrm:"),
        cap_inheritable: bits("CapInh:"),
        cap_bounding: bits("CapBnd:"),
        cap_ambient: bits("CapAmb:"),
        user_ns: namespace("self", "user"),
        group_count: u32::try_from(groups.len()).expect("few"),
        groups,
    }
}

#[test]
fn each_change_tells_what_was_before_and_what_is_now() {
    let Some(stage) = stage() else { return };
    let mut command = after(|| {
        // SAFETY: the list has as many groups as said; the others take numbers.
        unsafe {
            done(libc::syscall(libc::SYS_setgroups, 2, [700u32, 701].as_ptr()))?;
            done(libc::syscall(libc::SYS_setresgid, 800, 801, 802))?;
            done(libc::syscall(libc::SYS_setfsgid, 803))?;
            done(libc::syscall(libc::SYS_setresuid, 0, 900, 901))?;
            done(libc::syscall(libc::SYS_setuid, 901))?;
        }
        Ok(())
    });
    let (pid, life) = perform(stage, &mut command);
    assert!(life.iter().all(|e| !matches!(e.payload, Payload::Credentials(_)) || e.header.tid == pid));
    let mut before = own();
    let mut expected = Vec::new();
    let mut then = |call: &str, change: fn(&mut Privileges)| {
        let mut now = before.clone();
        change(&mut now);
        expected.push((call.to_owned(), before.clone(), now.clone()));
        before = now;
    };
    then("setgroups", |p| (p.group_count, p.groups) = (2, vec![700, 701]));
    then("setresgid", |p| (p.gid, p.egid, p.sgid, p.fsgid) = (800, 801, 802, 801));
    then("setfsgid", |p| p.fsgid = 803);
    // An effective user other than root has none of root's capabilities in effect.
    then("setresuid", |p| (p.euid, p.suid, p.fsuid, p.cap_effective) = (900, 901, 900, 0));
    then("setuid", |p| (p.euid, p.fsuid) = (901, 901));
    let told: Vec<_> =
        changes(&life).into_iter().map(|c| (c.call.to_string(), c.before.clone(), c.now.clone())).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_capability_that_is_given_up_is_told() {
    let Some(stage) = stage() else { return };
    const SYS_CHROOT: u64 = 1 << 18;
    let kept = own().cap_effective & !SYS_CHROOT;
    let permitted = own().cap_permitted;
    let mut command = after(move || {
        let low = |bits: u64| bits as u32;
        let high = |bits: u64| (bits >> 32) as u32;
        // Version 3: two words each of effective, permitted and inheritable capabilities.
        let header = [0x2008_0522u32, 0];
        let data = [low(kept), low(permitted), 0, high(kept), high(permitted), 0];
        // SAFETY: both are laid out as the call wants them.
        unsafe { done(libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr())) }.map(|_| ())
    });
    let (_, life) = perform(stage, &mut command);
    let [change] = changes(&life)[..] else { panic!("one change: {life:?}") };
    assert_eq!((change.call.name(), &change.before), ("capset", &own()));
    assert_eq!(change.now, Privileges { cap_effective: kept, cap_inheritable: 0, ..own() });
}

#[test]
fn a_user_namespace_of_ones_own_gives_all_capabilities_in_it() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, Command::new("unshare").args(["-U", "true"]));
    let [change] = changes(&life)[..] else { panic!("one change: {life:?}") };
    let entered = life.iter().find_map(|e| match &e.payload {
        Payload::Namespace(NamespaceChange { now, .. }) => Some(now.user),
        _ => None,
    });
    assert_eq!((change.call.name(), &change.before), ("user_namespace", &own()));
    assert_eq!(Some(change.now.user_ns), entered);
    assert_ne!(change.now.user_ns, change.before.user_ns);
    assert_eq!(change.now.cap_effective, change.now.cap_permitted);
    assert!(change.now.cap_effective.count_ones() >= 40, "all: {:x}", change.now.cap_effective);
}

#[test]
fn becoming_what_one_is_already_is_no_news() {
    let Some(stage) = stage() else { return };
    let mut command = after(|| {
        // SAFETY: calls that take numbers.
        unsafe {
            done(libc::syscall(libc::SYS_setuid, libc::getuid()))?;
            done(libc::syscall(libc::SYS_setresgid, -1, -1, -1))?;
            // Refused: it changes nothing either.
            libc::syscall(libc::SYS_setgroups, 1 << 20, std::ptr::null::<u32>());
        }
        Ok(())
    });
    let (_, life) = perform(stage, &mut command);
    assert_eq!(changes(&life), Vec::<&CredentialsChange>::new());
}

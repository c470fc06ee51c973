//! Each chain names the story that it tells, and not the one beside it in which what makes it that story is missing.
#![allow(clippy::unwrap_used)]

#[path = "../../core/tests/world/mod.rs"]
mod world;

mod story;

use std::sync::OnceLock;

use lanner_core::detect::chain::{self, Chain};
use lanner_core::detect::rules::RuleSet;
use lanner_core::detect::{ChainMatch, Incident};
use lanner_core::engine::Engine;

fn chains() -> Vec<Chain> {
    lanner_rules::CHAINS
        .iter()
        .flat_map(|(file, text)| chain::load(file, text).unwrap_or_else(|e| panic!("{e}")))
        .collect()
}

fn incidents(story: &str) -> Vec<Incident> {
    static RULES: OnceLock<RuleSet> = OnceLock::new();
    let rules = RULES.get_or_init(|| RuleSet::load(lanner_rules::RULES));
    let mut engine = Engine::new(rules.clone(), chains());
    story::events(story).iter().for_each(|event| drop(engine.apply(event)));
    engine.flush();
    engine.incidents().iter().filter(|i| i.merged_into.is_none()).map(|i| Incident::clone(i)).collect()
}

/// What happens, in a line for each stage, to be shown when it is not what was expected.
fn shown(incidents: &[Incident]) -> String {
    let mut out = String::new();
    for incident in incidents {
        out += &format!("\n{}: {}", incident.name, incident.because);
        for stage in &incident.stages {
            let link = stage.link.as_ref().map(|l| format!("{} to {}: {}", l.kind.id(), l.to_stage, l.why));
            out += &format!("\n  {} {} ({}) {}", stage.tactic, stage.technique, stage.signal, link.unwrap_or_default());
        }
        for tie in &incident.links {
            out += &format!("\n    {} {:?} {}", tie.kind.id(), tie.delivered_by, tie.why);
        }
    }
    out
}

/// The story is called by the chain's name and told in these words; without what makes it that story it is not.
fn tells(name: &str, story: &str, words: &str, beside: &str) {
    let found = incidents(story);
    let of_name: Vec<&ChainMatch> = found.iter().filter_map(|i| i.chain.as_ref()).filter(|c| c.name == name).collect();
    assert_eq!(of_name.len(), 1, "{name}:{}", shown(&found));
    assert_eq!(of_name[0].story, words, "{name}:{}", shown(&found));
    assert_eq!(of_name[0].found, of_name[0].parts.iter().filter(|p| p.stage.is_some()).count());
    let near = incidents(beside);
    assert!(!near.is_empty(), "{name}: beside it there is no incident at all");
    assert!(near.iter().all(|i| i.name != name), "{name} is said of what is beside it:{}", shown(&near));
}

#[test]
fn web_shell_to_reverse_shell() {
    tells(
        "Web shell to reverse shell",
        "pod: exec /usr/sbin/nginx; run /bin/sh -c id; stdin 10.9.9.9:4444; run /bin/bash -i",
        "a web server in container aaaa was made to start sh (104); then bash -i is fed by the connection 10.9.9.9:4444",
        "pod: mark pod; exec /usr/sbin/nginx; run /bin/sh -c id; wait 5; back pod; enter /bin/sh; stdin 10.9.9.9:4444; run /bin/bash -i",
    );
}

#[test]
fn web_shell_to_crypto_miner() {
    tells(
        "Web shell to crypto miner",
        "pod: exec /usr/sbin/nginx; run /bin/sh -c id; run /tmp/xmrig -o stratum+tcp://192.0.2.9:3333; connect 192.0.2.9:3333",
        "a server in container aaaa was made to start sh (104), and xmrig (105) mines for 192.0.2.9:3333",
        "pod: mark pod; exec /usr/sbin/nginx; run /bin/sh -c id; wait 5; back pod; enter /bin/sh; run /tmp/xmrig -o stratum+tcp://192.0.2.9:3333; connect 192.0.2.9:3333",
    );
}

#[test]
fn a_services_shell_becomes_root() {
    tells(
        "Service's shell becomes root",
        "pod: exec /usr/sbin/nginx; run /bin/sh -c id; became-root by-capability",
        "sh (104) in container aaaa was started through a server, and sh (104) became root",
        "pod: mark pod; exec /usr/sbin/nginx; run /bin/sh -c id; wait 5; back pod; enter /bin/sh; became-root by-capability",
    );
}

#[test]
fn a_stolen_token_is_used() {
    tells(
        "Stolen service account token used",
        "session: mark s; run /bin/cat token; read /var/run/secrets/kubernetes.io/serviceaccount/token; back s; run /usr/bin/kubectl get secrets; back s; hostns",
        "cat (105) in container aaaa took /var/run/secrets/kubernetes.io/serviceaccount/token, and kubectl (106) asked the cluster what it opens",
        "session: mark s; run /bin/cat token; read /var/run/secrets/kubernetes.io/serviceaccount/token; back s; write /tmp/k; hostns; start /bin/sh; written /tmp/k; run /usr/bin/kubectl get secrets",
    );
}

#[test]
fn an_escape_by_the_engines_socket() {
    tells(
        "Escape by the container engine's socket",
        "pod: run /usr/bin/docker run; unix /var/run/docker.sock; wait 2; start-plain /bin/sh; mount /dev/sda1 /mnt ext4; hostns",
        "docker (104) in container aaaa spoke to /var/run/docker.sock; container cccc started, and from it sh mounted /dev/sda1 at /mnt in container cccc",
        "pod: run /usr/bin/docker ps; unix /var/run/docker.sock; wait 200; start-plain /bin/sh; mount /dev/sda1 /mnt ext4; hostns",
    );
}

#[test]
fn an_escape_by_the_kernels_lever() {
    tells(
        "Escape by the kernel's lever",
        "pod: mark p; run /bin/sh; write /cmd; parent; write /sys/fs/cgroup/rdma/release_agent; found /usr/lib/helper; written /cmd; stdin 192.0.2.9:4444; run /bin/sh -i",
        "server (103) in container aaaa set /sys/fs/cgroup/rdma/release_agent; the host then ran /cmd",
        "pod: mark p; run /bin/sh; write /cmd; parent; write /sys/fs/cgroup/rdma/release_agent; found /usr/lib/helper; written /other; stdin 192.0.2.9:4444; run /bin/sh -i",
    );
}

#[test]
fn a_download_that_cron_keeps() {
    tells(
        "Download that cron keeps",
        "session: mark s; run /usr/bin/curl -o /tmp/x; connect 192.0.2.9:80; create /tmp/x; back s; written /tmp/x; write /etc/cron.d/x",
        "/tmp/x was fetched from 192.0.2.9:80 and run, and x (106) left /etc/cron.d/x to have it run again",
        "pod: mark p; enter /bin/sh; mark s; run /usr/bin/curl -o /tmp/x; connect 192.0.2.9:80; create /tmp/x; back s; written /tmp/x; became-root by-capability; back p; enter /bin/job; write /etc/cron.d/x",
    );
}

#[test]
fn a_fileless_implant_with_a_line_out() {
    tells(
        "Fileless implant with a line out",
        "pod: run /usr/bin/python3; memfd x; inmemory; connect 192.0.2.9:443",
        "memfd:x (105) runs from memory, and calls out to 192.0.2.9:443",
        "pod: mark p; run /usr/bin/python3; memfd x; inmemory; back p; run /bin/sh; connect 192.0.2.9:443",
    );
}

#[test]
fn code_put_into_another_process() {
    tells(
        "Code put into another process",
        "host: run /usr/bin/victim; mark v; found /tmp/injector; reach v; back v; stdin 192.0.2.9:4444; run /bin/sh -i",
        "injector (106) reached into another process, and sh (107) now does this: sh -i is fed by the connection 192.0.2.9:4444",
        "host: run /usr/bin/victim; mark v; found /tmp/injector; reach v; stdin 192.0.2.9:4444; run /bin/sh -i",
    );
}

#[test]
fn a_kernel_rootkit() {
    tells(
        "Kernel rootkit",
        "host: stdin 192.0.2.9:4444; run /bin/sh -i; mark s; run /usr/bin/cc; write /tmp/rk.ko; back s; run /sbin/insmod; module finit_module /tmp/rk.ko; back s; run /bin/rm; unlink /var/log/auth.log",
        "insmod (107) put /tmp/rk.ko into the kernel, and then hid: rm removed or cut off /var/log/auth.log",
        "host: stdin 192.0.2.9:4444; run /bin/sh -i; mark s; back s; found /sbin/modprobe; module finit_module /opt/driver.ko; back s; run /bin/sh -i",
    );
}

#[test]
fn a_preloaded_library() {
    tells(
        "Preloaded library as a back door",
        "host: run /bin/sh; mark s; run /bin/cp; write /lib/libx.so; back s; write /etc/ld.so.preload; found /usr/bin/service; read /lib/libx.so; stdin 192.0.2.9:4444; run /bin/sh -i",
        "sh (105) set /etc/ld.so.preload; sh (108) has since loaded /lib/libx.so",
        "host: run /bin/sh; mark s; run /bin/cp; write /lib/libx.so; back s; write /etc/ld.so.preload; found /usr/bin/service; read /lib/liby.so; stdin 192.0.2.9:4444; run /bin/sh -i",
    );
}

#[test]
fn a_login_key_is_planted_and_used() {
    tells(
        "Login key planted and used",
        "admin: mark a; create /root/.ssh/authorized_keys; found /usr/sbin/sshd; run /usr/sbin/sshd-session; read /root/.ssh/authorized_keys; run /bin/bash; run /bin/cat; read /etc/shadow",
        "bash (105) wrote /root/.ssh/authorized_keys; who came in with them: cat read /etc/shadow",
        "admin: mark a; create /root/.ssh/authorized_keys; found /usr/sbin/sshd; run /usr/sbin/sshd-session; read /home/b/.ssh/authorized_keys; run /bin/bash; run /bin/cat; read /etc/shadow; became-root by-capability",
    );
}

#[test]
fn credentials_are_carried_out() {
    tells(
        "Credentials taken and carried out",
        "session: mark s; run /bin/cat; read /root/.aws/credentials; back s; run /bin/tar czf /tmp/a.tgz /root; write /tmp/a.tgz; back s; run /usr/bin/curl -T /tmp/a.tgz; read /tmp/a.tgz; send 192.0.2.9:443 300000 100",
        "cat (105) took /root/.aws/credentials, packed as /tmp/a.tgz, and it left for 192.0.2.9:443",
        "session: mark s; run /bin/cat; read /root/.aws/credentials; back s; became-root by-capability; enter /srv/metrics; send 192.0.2.9:443 300000 100",
    );
}

#[test]
fn credentials_are_gathered() {
    tells(
        "Credentials gathered, not seen to leave",
        "session: mark s; run /bin/cat; read /root/.aws/credentials; back s; run /bin/tar czf /tmp/a.tgz /root; write /tmp/a.tgz; back s; became-root by-capability",
        "cat (105) took /root/.aws/credentials and packed what it found; nothing was seen to carry it out yet",
        "session: mark s; run /bin/cat; read /root/.aws/credentials; back s; run /bin/tar czf /tmp/a.tgz /root; write /tmp/a.tgz; back s; run /usr/bin/curl -T /tmp/a.tgz; read /tmp/a.tgz; send 192.0.2.9:443 300000 100",
    );
}

#[test]
fn tracks_are_covered() {
    tells(
        "Tracks covered after the deed",
        "host: stdin 192.0.2.9:4444; run /bin/sh -i; mark s; run /bin/cat; read /etc/shadow; back s; run /bin/rm; unlink /var/log/auth.log",
        "cat read /etc/shadow; afterwards rm (107) covered it: rm removed or cut off /var/log/auth.log",
        "host: stdin 192.0.2.9:4444; run /bin/sh -i; mark s; run /bin/rm; unlink /var/log/auth.log; back s; run /bin/cat; read /etc/shadow",
    );
}

#[test]
fn files_are_held_for_ransom() {
    tells(
        "Files held for ransom",
        "pod: run /tmp/locker; rename /data/a -> /data/a.locked; create /data/HOW_TO_DECRYPT.txt",
        "locker (104) took files in container aaaa for ransom; the demand is /data/HOW_TO_DECRYPT.txt",
        "pod: mark p; run /tmp/locker; rename /data/a -> /data/a.locked; became-root by-capability; back p; enter /bin/other; create /data/HOW_TO_DECRYPT.txt",
    );
}

#[test]
fn a_hidden_pod_needs_a_manifest_that_somebody_planted() {
    let name = "Container escape to hidden static pod";
    let escaped = "session: mark s; run /usr/bin/nsenter -t 1 -m; hostns; run /bin/cat; mark c; found /usr/bin/kubelet; mark k; back c; ";
    let tells_it = |end: &str| incidents(&format!("{escaped}{end}")).iter().any(|i| i.name == name);
    let written =
        "write /etc/kubernetes/manifests/x.yaml; back k; read /etc/kubernetes/manifests/x.yaml; wait 20; start /bin/sh";
    assert!(tells_it(written));
    let unread =
        "write /etc/kubernetes/manifests/x.yaml; back k; read /etc/kubernetes/manifests/y.yaml; wait 20; start /bin/sh";
    assert!(!tells_it(unread), "nothing says that the container started because of what was written");
}

#[test]
fn chains_speak_of_rules_tactics_and_techniques_that_there_are() {
    let rules = RuleSet::load(lanner_rules::RULES);
    let chains = chains();
    assert!(chains.len() >= 12, "{}", chains.len());
    for chain in &chains {
        for (step, shape) in
            chain.steps.iter().flat_map(|s| std::iter::once(&s.shape).chain(&s.any).map(move |f| (s, f)))
        {
            for name in &shape.rules {
                assert!(
                    rules.rules.iter().any(|r| *r.name == **name),
                    "{}, {}: no rule {name:?}",
                    chain.name,
                    step.name
                );
            }
            for id in &shape.techniques {
                let tells =
                    |t: &str| t.strip_prefix(id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
                assert!(
                    rules.rules.iter().any(|r| tells(&r.technique)),
                    "{}, {}: no rule tells of {id}",
                    chain.name,
                    step.name
                );
            }
        }
        let mut names: Vec<&str> = chain.steps.iter().map(|s| s.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), chain.steps.len(), "{}", chain.name);
    }
}

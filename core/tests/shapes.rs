//! Conditions as the rule files of Falco's users have them, every form once: each loads, or says what it lacks.
#![allow(clippy::unwrap_used)]

use lanner_core::detect::rules::RuleSet;

/// Each is a whole condition. The macros and lists are those of [`HEAD`].
const SHAPES: &[&str] = &[
    "opened_to_read and (in_etc or fd.name startswith /root/.keys) and not proc.pname in (shells)",
    "opened_to_read and fd.nameraw contains '../' and fd.nameraw glob '*../*../*'",
    "(evt.type in (open,openat,openat2) and fd.typechar='f' and fd.num=-1 and evt.res startswith E)",
    "opened_to_write and evt.arg.flags contains \"O_TRUNC\" and not fd.name pmatch (safe_dirs)",
    "opened_to_write and fd.directory=/ and not fd.filename in (.profile, .bashrc)",
    "spawned and proc.name exists and proc.aname in (servers) and not proc.cmdline in (known_lines)",
    "spawned and proc.aname[2]=cron or proc.aname[3] startswith cron_ and spawned",
    "spawned and inside and proc.tty != 0 and (not proc.pname exists or proc.pname in (runc:[0:PARENT], runc:[1:CHILD], runc))",
    "spawned and proc.pname in (shells, \"odd name\") and proc.pcmdline contains \" -jar -D\"",
    "spawned and (proc.args contains \"\\ \" or proc.args endswith \\)",
    "spawned and proc.args = ''",
    "spawned and (proc.args=\"\" or proc.args intersects (\"-V\", \"-l\", \"-h\"))",
    "spawned and proc.args icontains \"BEGIN RSA PRIVATE\"",
    "spawned and proc.is_exe_from_memfd=true and user.uid != 0",
    "spawned and inside and proc.is_exe_upper_layer=true and not container.image.repository in (nothing)",
    "spawned and inside and container.privileged=true and proc.name=mount",
    "spawned and inside and proc.vpid=1 and user.uid=0",
    "spawned and proc.env icontains HTTP_PROXY",
    "spawned and thread.cap_permitted contains CAP_SYS_ADMIN and container.image.repository startswith registry.example/",
    "spawned and (proc.exe startswith \"/dev/shm/\" or (proc.cwd startswith \"/dev/shm/\" and proc.exe startswith \"./\"))",
    "spawned and user.name in (bin, daemon, www-data) and proc.duration <= 5000000000",
    "spawned and proc.name = val(proc.pname)",
    "spawned and toupper(proc.name) = SH and len(proc.args) > 100 and basename(proc.exepath) != val(proc.name)",
    "spawned and proc.args regex \"^-[ie] .*$\" and proc.name iglob \"PYTHON*\"",
    "outgoing and proc.exe endswith ssh and fd.l4proto=tcp and fd.sport in (80, 8080)",
    "outgoing and fd.sip=\"169.254.169.254\" and not k8s.ns.name = \"kube-system\"",
    "outgoing and fd.sport=\"443\" and fd.sip.name in (names)",
    "incoming and not (fd.cip in (addresses) or fd.cnet in (networks))",
    "outgoing and fd.rnet in (networks) and fd.port in (ports) and fd.sport >= 30000 and fd.sport <= 32767",
    "evt.type=connect and evt.dir=< and (fd.typechar=4 or fd.typechar=6) and inside",
    "(evt.type = container or (spawned and proc.vpid=1)) and container.image.repository != incomplete and container.mount.dest[/proc*] != \"N/A\"",
    "evt.type in (symlink, symlinkat) and evt.dir=< and evt.arg.target in (files)",
    "evt.type in (link, linkat) and evt.arg.oldpath in (files)",
    "evt.type in (rename, renameat, renameat2, rmdir, unlink, unlinkat) and (evt.arg.path startswith /bin/ or evt.arg.newpath contains \"/.\")",
    "evt.type in (mkdir, mkdirat) and evt.arg.path startswith /usr/bin/",
    "evt.type in (chmod, fchmod, fchmodat) and evt.rawres>=0 and evt.arg.mode contains \"S_ISUID\"",
    "evt.type=socket and inside and evt.arg[0] contains AF_PACKET",
    "evt.type in (dup, dup2, dup3) and inside and evt.rawres in (0, 1, 2) and fd.type in (\"ipv4\", \"ipv6\")",
    "evt.type in (init_module, finit_module) and inside and thread.cap_effective icontains sys_module",
    "evt.type=ptrace and evt.dir=> and (evt.arg.request contains PTRACE_POKETEXT or evt.arg.request contains PTRACE_ATTACH)",
    "evt.type=setuid and evt.dir=> and not (user.name=root or user.uid=0) and not (user.name=nobody and evt.arg.uid=nobody)",
    "evt.type=setns and evt.dir=< and not (container.id=host and proc.name in (shells)) and not proc.name startswith \"runc\"",
    "evt.type = userfaultfd and user.uid != 0 and (evt.rawres >= 0 or evt.res != -1)",
    "evt.type=recvfrom and fd.type in (ipv4, ipv6) and evt.buffer bcontains cafebabe",
    "(evt.type = creat or (evt.type in (open,openat,openat2))) and evt.arg.flags contains O_CREAT and fd.directory = /dev",
    "opened_to_read and inside and (fd.name glob /proc/*/environ)",
    "evt.type in (open,openat,openat2,creat) and evt.rawres>=0 and evt.is_open_exec=true and inside",
    "opened_to_write and inside and fd.name endswith release_agent and (user.uid=0 or thread.cap_effective contains CAP_DAC_OVERRIDE)",
    "spawned and k8s.pod.label[app] = web and k8s.pod.label.tier = front",
    "spawned and fd.types[0] in (ipv4) or proc.sid.exe startswith / and spawned",
    "spawned and proc.name = sh and not not (proc.pname = cat)\n  and\tnot(proc.name=x)or(proc.name=y and spawned)",
];

const HEAD: &str = r#"
- required_engine_version: 26
- list: shells
  items: [ash, bash, sh, '"(odd)"']
- list: servers
  items: [nginx, shells, "true", 7]
- list: known_lines
  items: ['"sh -c node -e \"require(''x'')\""', '"sh -c x"']
- list: nothing
  items: []
- list: safe_dirs
  items: [/etc/cni, /run/*/lock]
- list: files
  items: [/etc/shadow, /etc/sudoers]
- list: ports
  items: [53, 123]
- list: addresses
  items: ['"192.0.2.1"']
- list: networks
  items: ['"10.0.0.0/8"', '"172.16.0.0/12"']
- list: names
  items: ["pool.example.com", example.org]
- macro: never
  condition: (evt.num=0)
- macro: spawned
  condition: (evt.type in (execve, execveat) and evt.dir=<)
- macro: inside
  condition: (container.id != host)
- macro: in_etc
  condition: (fd.name startswith /etc/ and not later)
- macro: opened_to_read
  condition: (evt.type in (open,openat,openat2) and evt.is_open_read=true and fd.typechar='f' and fd.num>=0)
- macro: opened_to_write
  condition: (evt.type in (open,openat,openat2) and evt.is_open_write=true and fd.typechar='f' and fd.num>=0)
- macro: incoming
  condition: >
    (((evt.type in (accept,accept4,listen) and evt.dir=<) or
      (evt.type in (recvfrom,recvmsg) and evt.dir=< and
       fd.l4proto != tcp and fd.connected=false and fd.name_changed=true)) and
     (fd.typechar = 4 or fd.typechar = 6) and
     (fd.ip != "0.0.0.0" and fd.net != "127.0.0.0/8") and
     (evt.rawres >= 0 or evt.res = EINPROGRESS))
- macro: outgoing
  condition: >
    (((evt.type = connect and evt.dir=<) or
      (evt.type in (sendto,sendmsg) and evt.dir=< and
       fd.l4proto != tcp and fd.connected=false and fd.name_changed=true)) and
     (fd.typechar = 4 or fd.typechar = 6) and
     (fd.ip != "0.0.0.0" and fd.net != "127.0.0.0/8" and not fd.snet in (networks)) and
     (evt.rawres >= 0 or evt.res = EINPROGRESS))
- macro: later
  condition: never
"#;

/// As rules say what happened; some of it is never known here.
const OUTPUT: &str = "Told (file=%fd.name raw=%fd.nameraw evt_type=%evt.type user=%user.name loginuid=%user.loginuid \
    process=%proc.name gparent=%proc.aname[2] aname[4]=%proc.aname[4] terminal=%proc.tty flags=%evt.arg.flags args=%evt.args \
    mounts=%container.mounts pid0=%evt.arg[0] start=%container.start_ts %container.info)";

#[test]
fn every_form_loads_or_says_what_it_lacks() {
    let mut file = HEAD.to_owned();
    for (n, condition) in SHAPES.iter().enumerate() {
        let quoted = condition.replace('\'', "''");
        file += &format!(
            "- rule: r{n}\n  desc: d\n  condition: '{quoted}'\n  output: \"{OUTPUT}\"\n  priority:\n    WARNING\n  tags: [maturity_x, T1059]\n"
        );
    }
    let set = RuleSet::load(&[("shapes.yaml", file)]);
    let errors: Vec<String> = set.errors.iter().map(|e| e.render()).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert_eq!(set.rules.len() + set.unsupported.len(), SHAPES.len());
    for rule in &set.unsupported {
        let n: usize = rule.rule[1..].parse().unwrap();
        eprintln!("{}\n  {}", SHAPES[n], rule.reason);
        assert!(rule.field.is_some() && rule.line > 1, "{rule:?}");
    }
    eprintln!("{} of {} work", set.rules.len(), SHAPES.len());
    assert!(set.rules.len() >= 34, "what worked does no more");
}

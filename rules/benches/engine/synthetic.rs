//! Rules of the shapes that people write, none of which is met.

use std::fmt::Write as _;

pub(crate) fn rules(count: usize) -> String {
    let mut file = String::from(
        "- macro: spawned\n  condition: evt.type in (execve, execveat) and evt.dir = <\n\
         - macro: written\n  condition: evt.type in (open, openat, openat2) and evt.is_open_write = true\n\
         - macro: inside\n  condition: container.id != host\n",
    );
    for n in 0..count {
        let condition = match n % 8 {
            0 => format!("spawned and proc.name in (tool{n}, other{n})"),
            1 => format!("written and fd.name startswith /opt/app{n}/"),
            2 => format!("evt.type = connect and fd.sport = {}", 10_000 + n),
            3 => format!("spawned and inside and proc.cmdline contains \"--flag-{n}\""),
            4 => format!("spawned and proc.pname = parent{n} and proc.args contains x{n}"),
            5 => format!("written and inside and fd.name endswith secret{n}.key"),
            6 => format!("spawned and proc.aname in (server{n}, daemon{n}) and not proc.name = sh"),
            _ => format!("written and fd.name glob /var/lib/x{n}/*.conf"),
        };
        writeln!(file, "- rule: s{n}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO").unwrap();
    }
    file
}
